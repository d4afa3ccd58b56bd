// Ten regions of the plane, one per digit: pick a digit and walk along and across its region, or walk freely.

import { button, slider } from "./controls.js";
import { makeDecoder } from "./decoder.js";
import { picture } from "./digits.js";
import { figure, h } from "./dom.js";
import { explorer } from "./explorer.js";
import { readCodes } from "./packed.js";
import { pad } from "./pad.js";
import { digitPicker } from "./picker.js";
import { normal } from "./random.js";
import { makeRegions } from "./regions.js";
import { numbers, whole } from "./state.js";
import { spread, strip } from "./strip.js";

/** @import { Place } from "./regions.js" */
/** @import { Strip } from "./strip.js" */

const CELL = 48; // the least width of a picture in a strip, in CSS pixels

export default explorer((kit) => {
  const { root, theme, get, put, signal } = kit;
  const decoder = makeDecoder(get("decoder"), get("weights"));
  const codes = readCodes(get("about"), get("codes"));
  const spec = get("regions");
  const regions = makeRegions(spec);
  /** @type {string[]} */
  const names = get("names");
  const limit = get("limit");
  kit.share({ z: { trait: "z", ...numbers(2) }, digit: { trait: "label", ...whole(0, names.length - 1) } });

  // The code is the state. Where it lies in the picked digit's region is read off it; the place that a slider gave is
  // kept as it is, so that the slider does not twitch.
  /** @type {Place} */
  let place = spec.middle;
  /** @param {number[]} a @param {number[]} b */
  const same = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-6;
  const settle = () => {
    const label = get("label");
    if (label !== null && !same(regions.at(label, place), get("z"))) place = regions.inside(label, get("z")).place;
  };
  const walk = (/** @type {Place} */ next) => {
    place = next;
    put({ z: regions.at(get("label"), place) });
  };
  const glidePlace = (/** @type {Place} */ to) => {
    const label = get("label");
    kit.glideTo("z", to, { from: place, via: (now) => regions.at(label, (place = now)) });
  };
  const pick = (/** @type {number | null} */ label) => {
    kit.still("z");
    put(label === null ? { label } : { label, z: regions.at(label, place) });
    kit.say(label === null ? "Walking freely" : `In the region of ${names[label]}`);
  };

  // The plane: the prior's regions, held-out codes, the walker.
  const plane = pad({
    extent: [-limit, limit, -limit, limit],
    name: "Codes of held-out digits",
    theme,
    signal,
    ticks: 1,
    onMove: (z, done) => {
      const label = get("label");
      if (label !== null) walk(regions.inside(label, z).place);
      else if (done) put({ z });
      else kit.model.set({ z });
    },
  });
  plane.areas(names.map((_, k) => ({ path: regions.outline(k), label: k })));

  // All digits at the same place of their own regions.
  const picker = digitPicker({
    names,
    shape: decoder.shape,
    label: "Pick a digit to walk in its region",
    describe: (name) => `walk in the region of ${name}`,
    onPick: pick,
    onShow: kit.redraw,
  });

  // The one under the walker, and what lies along and across from it.
  const view = picture(decoder.shape, { role: "img" });
  const where = h("p", { class: "aae-where" });
  const words = ["along", "across"];
  const rows = words.map((word, axis) => {
    const [min, max] = spec[word];
    const one = slider({
      label: word,
      name: `${word} the region`,
      min,
      max,
      step: (max - min) / 100,
      onInput: (value) => walk(turned(axis, value)),
    });
    return { ...one, axis, word, ends: [min, max], strip: /** @type {Strip | null} */ (null) };
  });
  /** @param {number} axis @param {number} value */
  const turned = (axis, value) => place.map((old, j) => (j === axis ? value : old));
  const lay = () => {
    const width = rows[0].el.clientWidth;
    const count = Math.max(5, Math.min(9, 2 * Math.floor((width / CELL - 1) / 2) + 1));
    if (!width || rows[0].strip?.values.length === count) return;
    for (const row of rows) {
      row.strip?.el.remove();
      row.strip = strip({
        values: spread(row.ends[0], row.ends[1], count),
        shape: decoder.shape,
        name: row.word,
        onPick: (value) => glidePlace(turned(row.axis, value)),
      });
      row.range.before(row.strip.el);
      row.el.style.setProperty("--count", String(count));
    }
    kit.redraw();
  };
  const resized = new ResizeObserver(lay);
  resized.observe(root);
  signal.addEventListener("abort", () => resized.disconnect());

  const free = button("Walk freely", () => pick(null));
  const sample = button("Sample", () => {
    const draw = () =>
      [spec.uniform ? spec.along[0] + Math.random() * (spec.along[1] - spec.along[0]) : normal(), normal()].map(
        (value, axis) => Math.max(spec[words[axis]][0], Math.min(spec[words[axis]][1], value)),
      );
    const label = get("label");
    if (label !== null) glidePlace(draw());
    else kit.glideTo("z", regions.at(Math.floor(Math.random() * names.length), draw()));
    kit.say(label === null ? "Sampled from the whole prior" : `Sampled from the region of ${names[label]}`);
  });
  const reset = button("Reset", () => {
    const [label, z] = get("start");
    put({ label, z });
    kit.say("Reset");
  });
  const lead = h("p", { class: "aae-lead" });
  const tools = kit.tools(() => [picker.canvases(), ...rows.map((row) => row.strip?.canvases ?? [])]);
  const walks = h("div", { class: "aae-walks" }, ...rows.map((row) => row.el));
  root.append(
    picker.el,
    h("div", { class: "aae-bar" }, h("div", { class: "aae-tools" }, sample, reset, free), lead),
    h(
      "div",
      { class: "aae-ground" },
      plane.el,
      h("div", { class: "aae-beside" }, h("div", { class: "aae-view" }, view.el, where), walks),
    ),
    tools,
  );

  const showZ = () => {
    settle();
    const [z, label] = [get("z"), get("label")];
    plane.set(z);
    rows.forEach((row) => {
      row.set(place[row.axis]);
      row.strip?.mark(place[row.axis]);
    });
    const near = label ?? regions.nearest(z);
    where.textContent = `z = (${figure(z[0])}, ${figure(z[1])}), ${label === null ? "nearest to" : "in"} the region of ${names[near]}`;
    view.el.setAttribute("aria-label", `decoded at ${where.textContent}`);
    kit.redraw();
  };
  const showLabel = () => {
    const label = get("label");
    picker.set(label);
    free.hidden = label === null;
    walks.hidden = label === null;
    plane.points(codes.frame(0), codes.labels, { only: label, radius: 1.5, opacity: 0.55 });
    plane.paths(label === null ? [] : [[...regions.outline(label), ...regions.outline(label).slice(0, 2)]]);
    lead.textContent =
      label === null
        ? "Drag in the plane. Pick a digit to stay in its region."
        : "Each digit above stands at the same place of its own region. Drag, or move along and across.";
    lay();
    showZ();
  };
  kit.on("z", showZ);
  kit.on("label", showLabel);
  showLabel();

  const size = decoder.pixels;
  return {
    draw: () => {
      const label = get("label");
      const strips = label === null ? [] : rows.flatMap(({ axis, strip: one }) => (one ? [{ axis, one }] : []));
      const wanted = [
        get("z"),
        ...picker.shown().map((k) => (k === label ? get("z") : regions.at(k, place))),
        ...strips.flatMap(({ axis, one }) => one.values.map((value) => regions.at(label, turned(axis, value)))),
      ];
      const pixels = decoder.decode(wanted);
      view.paint(pixels, theme);
      picker.paint(pixels.subarray(size), theme);
      let from = 1 + picker.shown().length;
      for (const { one } of strips) {
        one.paint(pixels.subarray(from * size), theme);
        from += one.values.length;
      }
    },
    repaint: () => {
      plane.repaint();
      [view, picker, ...rows.map((row) => row.strip)].forEach((part) => part?.repaint(theme));
    },
  };
});

// Ten digits of one style vector; and, for a digit picked, what each dimension of the style does to it.

import { button, sliderPanel } from "./controls.js";
import { makeDecoder } from "./decoder.js";
import { h } from "./dom.js";
import { explorer } from "./explorer.js";
import { glide } from "./motion.js";
import { digitPicker } from "./picker.js";
import { sampleNormal } from "./random.js";
import { numbers, whole } from "./state.js";
import { spread, strip } from "./strip.js";

const BUDGET = 8; // milliseconds a frame may spend on strips, beside the digits' own

export default explorer((kit) => {
  const { model, root, theme, get, put } = kit;
  const decoder = makeDecoder(get("decoder"), get("weights"));
  const names = get("names");
  const limit = get("limit");
  const dim = decoder.codeDim;
  const shared = { z: { trait: "z", ...numbers(dim) }, digit: { trait: "label", ...whole(0, names.length - 1) } };
  kit.share(shared);

  let stop = () => {}; // ends the glide that is under way
  const move = (z) => {
    stop();
    put({ z });
  };
  const glideTo = (z) => {
    stop();
    stop = glide(get("z"), z, (code, done) => (done ? put({ z: code }) : model.set({ z: code })));
  };
  const pick = (label) => {
    put({ label });
    kit.say(label === null ? "All sliders" : `One row per dimension, ${what(label)}`);
  };
  const what = (label) => (names[label] === "" ? "the image" : `the ${names[label]}`);

  // One style, one picture per class.
  const picker = digitPicker({
    names, shape: decoder.shape, label: "Pick one to see what each dimension does to it",
    describe: (name) => (name === "" ? "the image, dimension by dimension" : `${name}, dimension by dimension`), onPick: pick,
  });
  const panel = sliderPanel({ dim, limit, onInput: move });
  const back = button("All sliders", () => pick(null));
  const lead = h("p", { class: "aae-lead", dir: "auto" });
  const sample = button("Sample a style", () => {
    glideTo(sampleNormal(dim, limit));
    kit.say("New style, sampled from the prior");
  });
  const reset = button("Reset", () => {
    glideTo(get("start"));
    kit.say("Style reset");
  });
  const tools = kit.tools(() => [picker.canvases, ...strips.map((row) => row.canvases)]);
  root.append(
    h("div", { class: "aae-stage" }, picker.el),
    h("div", { class: "aae-bar" }, h("div", { class: "aae-tools" }, sample, reset, back), lead),
    panel.el, tools,
  );

  // The strips: row k sweeps dimension k and holds the others. They are many images, so each frame draws as many
  // rows as fit its budget, and only rows that can be seen.
  let strips = [];
  let seen = new Set();
  const stale = new Set();
  const wake = kit.frames(() => {
    const begun = performance.now();
    for (const k of stale) {
      if (!seen.has(k)) continue;
      if (performance.now() - begun > BUDGET) return true;
      stale.delete(k);
      const codes = strips[k].values.map((value) => get("z").map((old, j) => (j === k ? value : old)));
      strips[k].paint(decoder.decode(codes, codes.map(() => get("label"))), theme);
    }
    root.dataset.sweeps = 1 + Number(root.dataset.sweeps ?? 0);
    return false;
  });
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const k = strips.findIndex((row) => row.el === target);
      if (isIntersecting) seen.add(k);
      else seen.delete(k);
    }
    if (stale.size) wake();
  }, { rootMargin: "100px" });
  const sweep = () => {
    if (!strips.length) return;
    strips.forEach((row, k) => {
      row.mark(get("z")[k]);
      stale.delete(k); // and to the end of the queue, so that no row waits for ever while a slider moves
      stale.add(k);
    });
    wake();
  };
  const layStrips = (count) => {
    watcher.disconnect();
    strips.forEach((row) => row.el.remove());
    seen = new Set();
    stale.clear();
    panel.el.classList.toggle("aae-swept", count > 0);
    panel.el.style.setProperty("--count", count);
    strips = panel.rows.slice(0, count ? dim : 0).map(({ el, range }, k) => {
      const row = strip({
        values: spread(-limit, limit, count), shape: decoder.shape, name: `style ${k + 1}`,
        onPick: (value) => glideTo(get("z").map((old, j) => (j === k ? value : old))),
      });
      range.before(row.el);
      watcher.observe(row.el);
      return row;
    });
    sweep();
  };
  const cells = () => (get("label") === null ? 0 : root.clientWidth < 480 ? 5 : root.clientWidth < 600 ? 7 : 9);
  const lay = () => cells() !== (strips[0]?.values.length ?? 0) && layStrips(cells());
  const resized = new ResizeObserver(lay);
  resized.observe(root);
  kit.signal.addEventListener("abort", () => {
    stop();
    watcher.disconnect();
    resized.disconnect();
  });

  const showZ = () => {
    panel.set(get("z"));
    sweep();
    kit.redraw();
  };
  const showLabel = () => {
    const label = get("label");
    picker.set(label);
    back.hidden = label === null;
    lead.textContent =
      label !== null
        ? `Each row sweeps one dimension from \u2212${limit} to ${limit}, the others held. Pick a picture to go there.`
        : names.length > 1
          ? "All share one style. Pick one to see what each dimension does."
          : "Pick the picture to see what each dimension does.";
    lay();
    sweep();
  };
  kit.on("z", showZ);
  kit.on("label", showLabel);
  showZ();
  showLabel();
  return {
    draw: () => picker.paint(decoder.decode(names.map(() => get("z")), names.map((_, k) => k)), theme),
    repaint: () => [picker, ...strips].forEach((row) => row.repaint(theme)),
  };
});

// A map of digits: point at it, and see what is drawn there; and the penalty that keeps the heads of its classes apart.

import { button, slider } from "./controls.js";
import { makeDecoder } from "./decoder.js";
import { picture } from "./digits.js";
import { figure, h } from "./dom.js";
import { explorer } from "./explorer.js";
import { readCodes, readImages } from "./packed.js";
import { pad } from "./pad.js";
import { digitPicker } from "./picker.js";
import { circle, closest } from "./plane.js";
import { normal } from "./random.js";
import { between, numbers } from "./state.js";

/** @import { Path } from "./pad.js" */

const NEAR = 0.01; // how near to a head is at it: links keep two decimals

/**
 * Which pairs of heads are nearer than `distance`, and what is missing in all: the penalty, without its weight.
 * @param {number[][]} heads
 * @param {number} distance
 */
function tooClose(heads, distance) {
  /** @type {number[][]} */
  const pairs = [];
  let penalty = 0;
  for (let i = 0; i < heads.length; i++)
    for (let j = 0; j < i; j++) {
      const missing = distance - Math.hypot(heads[i][0] - heads[j][0], heads[i][1] - heads[j][1]);
      if (missing <= 0) continue;
      pairs.push([j, i]);
      penalty += missing;
    }
  return { pairs, penalty };
}

export default explorer((kit) => {
  const { root, theme, get, put, signal } = kit;
  const decoder = makeDecoder(get("decoder"), get("weights"));
  const { labels, frame, count } = readCodes(get("about").points, get("points"));
  const images = readImages(get("about").images, get("images"));
  /** @type {[number[][], number[], number]} */
  const [heads, extent, reach] = [get("heads"), get("extent"), get("reach")];
  const points = frame();
  const names = heads.map((_, k) => String(k));
  kit.share({ z: { trait: "z", ...numbers(2) }, distance: { trait: "distance", ...between(0, reach) } });

  const side = extent[1] - extent[0];
  const plane = pad({
    extent,
    name: "Map",
    axes: ["r1", "r2"],
    step: side / 100,
    ticks: side > 12 ? 5 : 2,
    theme,
    signal,
    onMove: (z) => put({ z: z.map((value) => +value.toFixed(2)) }),
  });
  plane.points(points, labels, { radius: 1.6, opacity: 0.55 });

  const atHead = (/** @type {number[]} */ z) => heads.findIndex(([x, y]) => Math.hypot(x - z[0], y - z[1]) < NEAR);
  const picker = digitPicker({
    names,
    shape: decoder.shape,
    label: "Go to a head",
    describe: (name) => `go to the head of ${name}`,
    onPick: (k) => {
      if (k === null) return showPoint(); // a head cannot be let go of: move the point
      kit.glideTo("z", heads[k]);
      kit.say(`At the head of ${names[k]}`);
    },
    onShow: () => {
      tiles = false;
      kit.redraw();
    },
  });
  const view = picture(decoder.shape, { role: "img" });
  const real = picture(images.shape, { role: "img" });
  const [drawn, nearest] = [h("span", { class: "aae-note" }), h("span", { class: "aae-note" })];

  const values = { penalty: h("dd"), pairs: h("dd") };
  const distance = slider({
    label: "distance",
    name: "distance to keep",
    min: 0,
    max: reach,
    step: reach / 120,
    format: (value) => figure(value, 1),
    onInput: (value) => put({ distance: +value.toFixed(3) }),
  });
  const readings = h(
    "dl",
    { class: "aae-readings" },
    h("div", {}, h("dt", {}, "Penalty"), values.penalty),
    h("div", {}, h("dt", {}, "Pairs too close"), values.pairs),
  );
  const key = h(
    "p",
    { class: "aae-lead" },
    "A circle reaches half the distance from its head. Where two overlap, ",
    h("span", { class: "aae-says-code" }, "a line"),
    " joins a pair that is penalised.",
  );

  const sample = button("Sample", () => {
    const k = Math.floor(Math.random() * heads.length);
    kit.glideTo(
      "z",
      heads[k].map((value) => +(value + normal()).toFixed(2)),
    );
    kit.say(`Sampled about the head of ${names[k]}`);
  });
  const reset = button("Reset", () => {
    const [z, apart] = get("start");
    kit.glideTo("z", z);
    put({ distance: apart });
    kit.say("Reset");
  });
  const lead = h(
    "p",
    { class: "aae-lead" },
    `Drag over the map of ${count.toLocaleString("en")} held-out digits, or pick a head.`,
  );
  const tools = kit.tools(() => [
    picker.canvases(),
    [
      { canvas: plane.canvas, span: 4 },
      { canvas: view.el, span: 3 },
      { canvas: real.el, span: 2 },
    ],
  ]);
  root.append(
    picker.el,
    h("div", { class: "aae-bar" }, h("div", { class: "aae-tools" }, sample, reset), lead),
    h(
      "div",
      { class: "aae-map" },
      plane.el,
      h(
        "div",
        { class: "aae-beside" },
        h("div", { class: "aae-pair" }, h("div", {}, view.el, drawn), h("div", {}, real.el, nearest)),
        distance.el,
        readings,
        key,
      ),
    ),
    tools,
  );

  let near = 0; // which of the digits with an image is nearest
  const mark = () =>
    plane.discs([
      { at: [points[2 * near], points[2 * near + 1]] },
      ...heads.map((at, k) => ({ at, label: k, text: names[k] })),
    ]);
  const showPoint = () => {
    const z = get("z");
    plane.set(z);
    const head = atHead(z);
    picker.set(head < 0 ? null : head);
    near = closest(points, z, images.count);
    mark();
    const owner = names[closest(heads.flat(), z)];
    drawn.textContent = `drawn at (${figure(z[0])}, ${figure(z[1])}), nearest to the head of ${owner}`;
    nearest.textContent = `nearest of ${images.count} held-out digits: ${labels?.[near]}`;
    view.el.setAttribute("aria-label", drawn.textContent);
    real.el.setAttribute("aria-label", nearest.textContent);
    kit.redraw();
  };
  const showDistance = () => {
    const apart = get("distance");
    distance.set(apart);
    const { pairs, penalty } = tooClose(heads, apart);
    values.penalty.textContent = figure(penalty);
    values.pairs.textContent = `${pairs.length} of ${(heads.length * (heads.length - 1)) / 2}`;
    /** @type {Path[]} */
    const circles = heads.map((head) => ({ path: circle(head, apart / 2), colour: "muted", line: 1 }));
    /** @type {Path[]} */
    const lines = pairs.map((pair) => ({ path: pair.flatMap((k) => heads[k]), colour: "contrast" }));
    plane.paths([...circles, ...lines]);
  };
  kit.on("z", showPoint);
  kit.on("distance", showDistance);
  showPoint();
  showDistance();

  const size = images.size / images.count;
  let tiles = false; // the heads stay where they are: those that are shown are drawn once
  return {
    draw: () => {
      if (!tiles) picker.paint(decoder.decode(picker.shown().map((k) => heads[k])), theme);
      tiles = true;
      view.paint(decoder.decode([get("z")]), theme);
      real.paint(images.frame(0), theme, near * size);
    },
    repaint: () => [plane, picker, view, real].forEach((part) => part.repaint(theme)),
  };
});

// What the laboratory shows of a run beside the plane of codes: its readings, each with its course, and what the
// autoencoder makes of the data: ten digits, or all the points of the plane.

import { curve } from "./curve.js";
import { picture } from "./digits.js";
import { h } from "./dom.js";
import { pad } from "./pad.js";

/** @import { Shape } from "./decoder.js" */
/** @import { Kit } from "./explorer.js" */
/** @import { Picture } from "./laboratory_bench.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Ends } from "./points.js" */
/**
 * `shown` are the rows that are drawn and rebuilt, of images; `ends` what points were scaled from.
 * @typedef {{
 *   x: Float32Array, width: number, count: number, labels: Uint8Array, names: string[], shown: number[], ends?: Ends | null,
 * }} Data
 */

/** @type {{ key: "distance" | keyof Picture["losses"], name: string, digits: number, guide?: number }[]} */
const READINGS = [
  { key: "reconstruction", name: "Squared error", digits: 4 },
  { key: "distance", name: "Distance to prior", digits: 3 },
  { key: "discrimination", name: "Loss of D", digits: 3, guide: Math.LN2 },
  { key: "fooling", name: "Loss of the encoder", digits: 3, guide: Math.LN2 },
];

/**
 * The run's numbers. `clear()` begins anew, `show(picture)` goes on.
 * @param {Kit} kit
 */
export function readings({ theme, signal }) {
  const rows = READINGS.map((reading) => ({
    ...reading,
    value: h("dd"),
    course: curve({ theme, guide: reading.guide, signal }),
  }));
  const items = rows.map(({ name, value, course }) => h("div", {}, h("dt", {}, name), value, h("dd", {}, course.el)));
  return {
    el: h("dl", { class: "aae-readings" }, ...items),
    clear: () => {
      for (const { value, course } of rows) {
        course.clear();
        value.textContent = "–";
      }
    },
    show: (/** @type {Picture} */ { step, distance, losses }) => {
      for (const { key, digits, value, course } of rows) {
        const number = key === "distance" ? distance : losses[key];
        if (number === undefined) continue;
        if (Number.isFinite(number)) course.add(step, number);
        value.textContent = number.toFixed(digits);
      }
    },
    repaint: () => rows.forEach(({ course }) => course.repaint()),
  };
}

/**
 * Ten digits, what is rebuilt of them, and ten decoded samples of the prior: `canvases` in three rows.
 * @param {Shape} shape
 */
export function tenDigits(shape) {
  const size = shape[1] * shape[2];
  const rows = ["Digits", "Rebuilt", "Samples of the prior, decoded"].map((name, r) => {
    const pictures = Array.from({ length: 10 }, (_, k) =>
      picture(shape, { role: "img", "aria-label": r === 2 ? "decoded sample" : `${["digit", "rebuilt"][r]} ${k}` }),
    );
    const ten = h("div", { class: "aae-ten" }, ...pictures.map(({ el }) => el));
    return { el: h("div", { class: "aae-row" }, h("p", { class: "aae-lead" }, name), ten), pictures };
  });
  const [real, rebuilt, samples] = rows.map(({ pictures }) => pictures);
  return {
    el: h("div", {}, ...rows.map(({ el }) => el)),
    canvases: rows.map(({ pictures }) => pictures.map(({ el }) => el)),
    /** What the first row shows: digits, or images of the reader's. @param {boolean} own */
    call: (own) => {
      const [first] = rows;
      const [lead] = first.el.children;
      lead.textContent = own ? "Images" : "Digits";
      first.pictures.forEach(({ el }, k) => el.setAttribute("aria-label", `${own ? "image" : "digit"} ${k}`));
    },
    /** @param {Data} data @param {Picture} shown @param {Theme} theme */
    paint: ({ x, shown: rows }, shown, theme) => {
      real.forEach((one, k) => one.paint(x, theme, rows[k] * size));
      rebuilt.forEach((one, k) => one.paint(shown.rebuilt, theme, k * size));
      samples.forEach((one, k) => shown.drawn && one.paint(shown.drawn, theme, k * size));
    },
    repaint: (/** @type {Theme} */ theme) =>
      rows.forEach(({ pictures }) => pictures.forEach((one) => one.repaint(theme))),
  };
}

/**
 * Points of the unit square in grey, and where they are rebuilt, in their groups' colours.
 * @param {Kit} kit
 */
export function pointsRebuilt({ theme, signal }) {
  const space = pad({ extent: [0, 1, 0, 1], name: "Points, and where they are rebuilt", theme, signal });
  const lead = h("p", { class: "aae-lead" }, "Points (grey), and what is rebuilt of them");
  return {
    el: h("div", { class: "aae-space" }, lead, space.el),
    canvas: space.canvas,
    repaint: space.repaint,
    /** @param {Data} data @param {Float32Array} rebuilt */
    show: ({ x, labels, count }, rebuilt) => {
      const points = new Float32Array(4 * count);
      points.set(x);
      points.set(rebuilt, 2 * count);
      space.points(points, [...Array(count).fill(-1), ...labels], { radius: 1.6 });
    },
  };
}

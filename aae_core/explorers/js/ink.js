// Strokes, and what becomes of them: the image that MNIST would have made of such a digit, or the set of letters of a letter.
//
// A drawing is a list of strokes, each [x0, y0, x1, y1, …] in shares of the paper's side, from its top left, to three
// decimals. A pen's width is such a share too.

import { h, pencil } from "./dom.js";

/** @import { Field } from "./state.js" */
/** @typedef {number[]} Stroke [x0, y0, x1, y1, …] */

const SIDE = 28; // of an image
const BOX = 20; // what a digit is scaled into
const CAPITAL = 18; // how high a letter is
const FINE = 8; // points to a pixel and side, whose mean the pixel is

/**
 * Draws strokes with a round pen; the context's unit is the paper's side.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke[]} strokes
 * @param {number} pen
 */
export function trace(context, strokes, pen) {
  context.lineWidth = pen;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  for (const stroke of strokes) {
    context.moveTo(stroke[0], stroke[1]);
    for (let k = 2; k < stroke.length; k += 2) context.lineTo(stroke[k], stroke[k + 1]);
    if (stroke.length === 2) context.lineTo(stroke[0] + 1e-4, stroke[1]); // a dot
  }
  context.stroke();
}

/**
 * A stroke with as few of its points as keep it within `tolerance` (Douglas and Peucker).
 * @param {Stroke} stroke
 * @param {number} tolerance
 */
export function simplify(stroke, tolerance = 0.003) {
  const last = stroke.length / 2 - 1;
  const keep = new Set([0, last]);
  /** @param {number} from @param {number} to */
  const split = (from, to) => {
    const [x, y] = [stroke[2 * from], stroke[2 * from + 1]];
    const [dx, dy] = [stroke[2 * to] - x, stroke[2 * to + 1] - y];
    const length = dx * dx + dy * dy;
    let [far, most] = [0, tolerance * tolerance];
    for (let k = from + 1; k < to; k++) {
      const [px, py] = [stroke[2 * k] - x, stroke[2 * k + 1] - y];
      const t = length ? Math.max(0, Math.min(1, (px * dx + py * dy) / length)) : 0;
      const gap = (px - t * dx) ** 2 + (py - t * dy) ** 2;
      if (gap > most) [far, most] = [k, gap];
    }
    if (!far) return;
    keep.add(far);
    split(from, far);
    split(far, to);
  };
  split(0, last);
  return [...keep].sort((a, b) => a - b).flatMap((k) => [stroke[2 * k], stroke[2 * k + 1]]);
}

const inTwo = (/** @type {number} */ share) =>
  Math.round(1000 * share)
    .toString(36)
    .padStart(2, "0");

/**
 * A drawing in an address: two letters a coordinate, a dot between strokes.
 * @type {Field}
 */
export const strokesField = {
  write: (strokes) => strokes.map((/** @type {Stroke} */ stroke) => stroke.map(inTwo).join("")).join("."),
  read: (text) => {
    if (text === "") return [];
    if (!/^([0-9a-z]{4})+(\.([0-9a-z]{4})+)*$/.test(text)) return undefined;
    const strokes = text.split(".").map((part) => [...part.matchAll(/../g)].map(([pair]) => parseInt(pair, 36) / 1000));
    return strokes.flat().every((value) => value <= 1) ? strokes : undefined;
  },
};

/** @type {CanvasRenderingContext2D | undefined} */
let made;

/**
 * The drawing as an image of 28 by 28 numbers in [0, 1], as MNIST's were made: cropped, scaled so that its longer side
 * fills 20 pixels, each pixel the mean of what it covers, and moved by whole pixels until the centre of its mass is
 * the middle of the image. Of a letter the longer side fills 18 pixels, and the middle of both sides is that of the image.
 * @param {Stroke[]} strokes
 * @param {number} pen
 * @param {boolean} isLetter
 */
export function asImage(strokes, pen, isLetter = false) {
  const image = new Float32Array(SIDE * SIDE);
  const points = strokes.flat();
  if (!points.length) return image;
  const reach = (/** @type {number} */ from) => {
    let [low, high] = [Infinity, -Infinity];
    for (let k = from; k < points.length; k += 2) [low, high] = [Math.min(low, points[k]), Math.max(high, points[k])];
    return [low - pen / 2, high - low + pen];
  };
  const [[left, width], [top, height]] = [reach(0), reach(1)];
  const box = isLetter ? CAPITAL : BOX;
  const scale = (box * FINE) / Math.max(width, height);
  const edge = (/** @type {number} */ size) => ((SIDE - (isLetter ? (size * scale) / FINE : box)) / 2) * FINE;
  made ??= pencil(h("canvas", { width: SIDE * FINE, height: SIDE * FINE }));
  const fine = made;
  fine.setTransform(1, 0, 0, 1, 0, 0);
  fine.clearRect(0, 0, SIDE * FINE, SIDE * FINE);
  fine.setTransform(scale, 0, 0, scale, edge(width) - scale * left, edge(height) - scale * top);
  trace(fine, strokes, pen);
  const { data } = fine.getImageData(0, 0, SIDE * FINE, SIDE * FINE);
  let [sum, across, down] = [0, 0, 0];
  const coarse = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE * FINE; y++) {
    for (let x = 0; x < SIDE * FINE; x++) {
      const ink = data[4 * (y * SIDE * FINE + x) + 3];
      if (!ink) continue;
      coarse[Math.floor(y / FINE) * SIDE + Math.floor(x / FINE)] += ink / (255 * FINE * FINE);
      sum += ink;
      across += ink * x;
      down += ink * y;
    }
  }
  // MNIST's middle is the pixel with index 14: its test digits' centres lie within half a pixel of it.
  const middle = SIDE / 2 + 0.5;
  const shift = (/** @type {number} */ moment) => Math.round(middle - (moment / sum + 0.5) / FINE);
  /** @param {number} by @param {number} size */
  const inside = (by, size) => Math.max(-4, Math.min(SIDE - 4 - Math.ceil(size - 1e-6), by));
  const dx = isLetter ? 0 : inside(shift(across), (width * scale) / FINE);
  const dy = isLetter ? 0 : inside(shift(down), (height * scale) / FINE);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const [u, v] = [x - dx, y - dy];
      if (u >= 0 && u < SIDE && v >= 0 && v < SIDE) image[y * SIDE + x] = Math.min(1, coarse[v * SIDE + u]);
    }
  return image;
}

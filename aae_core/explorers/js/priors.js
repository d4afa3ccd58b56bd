// Priors of codes in the plane, as aae_core/priors.py has them, and one that the reader draws. Each is
// {sample(n, chance), density(x, y)}: samples [x0, y0, …], and a density up to a constant.

import { beads, readStrokes } from "./strokes.js";

/** @import { Chance } from "./random.js" */
/** @typedef {{ sample: (n: number, chance: Chance) => Float32Array, density: (x: number, y: number) => number }} Prior */

/** @returns {Prior} */
const gaussian = () => ({
  sample: (n, chance) => Float32Array.from({ length: 2 * n }, () => chance.normal()),
  density: (x, y) => Math.exp(-(x * x + y * y) / 2),
});

/**
 * A flower: petal k points in the direction 2πk / count.
 * @returns {Prior}
 */
function petals({ count = 10, shift = 1.4, along = 0.5, across = 0.1 } = {}) {
  const directions = Array.from({ length: count }, (_, k) => [
    Math.cos((2 * Math.PI * k) / count),
    Math.sin((2 * Math.PI * k) / count),
  ]);
  return {
    sample: (n, chance) => {
      const out = new Float32Array(2 * n);
      for (let i = 0; i < n; i++) {
        const [c, s] = directions[chance.below(count)];
        const [r, t] = [shift + along * chance.normal(), across * chance.normal()];
        out.set([r * c - t * s, r * s + t * c], 2 * i);
      }
      return out;
    },
    density: (x, y) =>
      directions.reduce(
        (sum, [c, s]) =>
          sum + Math.exp(-(((c * x + s * y - shift) / along) ** 2 + ((c * y - s * x) / across) ** 2) / 2),
        0,
      ),
  };
}

/**
 * A string of beads [x0, y0, …], each a round normal distribution of that width.
 * @param {ArrayLike<number>} points
 * @param {number} width
 * @returns {Prior}
 */
function beaded(points, width) {
  const count = points.length / 2;
  return {
    sample: (n, chance) => {
      const out = new Float32Array(2 * n);
      for (let i = 0; i < n; i++) {
        const k = chance.below(count);
        out[2 * i] = points[2 * k] + width * chance.normal();
        out[2 * i + 1] = points[2 * k + 1] + width * chance.normal();
      }
      return out;
    },
    density: (x, y) => {
      let sum = 0;
      for (let k = 0; k < count; k++) {
        const square = ((points[2 * k] - x) ** 2 + (points[2 * k + 1] - y) ** 2) / (width * width);
        if (square < 40) sum += Math.exp(-square / 2);
      }
      return sum / count;
    },
  };
}

/**
 * Two turns of a spiral, with as many beads to each stretch of it as of any other.
 * @returns {Prior}
 */
function roll({ radius = 3, turns = 2, thickness = 0.1, count = 400 } = {}) {
  const points = [];
  for (let k = 0; k < count; k++) {
    const root = Math.sqrt((k + 0.5) / count);
    points.push(
      radius * root * Math.cos(2 * Math.PI * turns * root),
      radius * root * Math.sin(2 * Math.PI * turns * root),
    );
  }
  return beaded(points, thickness);
}

export const BRUSH = 0.2; // half the width of a stroke, roughly

/**
 * The centres of the beads along the strokes of `drawing` [x, y].
 * @param {string} drawing
 */
export function beadsOf(drawing) {
  const points = beads(readStrokes(drawing));
  return Array.from({ length: points.length / 2 }, (_, k) =>
    [points[2 * k], points[2 * k + 1]].map((value) => +value.toPrecision(8)),
  );
}

/**
 * The prior of that name: "gaussian", "petals", "roll" or "drawn" (along the strokes of `drawing`; a normal one while there is none).
 * @param {string} name
 * @param {string} drawing
 */
export function makePrior(name, drawing = "") {
  if (name === "drawn") return drawing ? beaded(beads(readStrokes(drawing)), BRUSH) : gaussian();
  return /** @type {Record<string, () => Prior>} */ ({ gaussian, petals, roll })[name]();
}

/**
 * A prior's log density on a grid over the square from -limit to limit, and its values at the borders of `shares` of it.
 * @param {Prior} prior
 * @param {Chance} chance
 * @param {number} limit
 */
export function describePrior(prior, chance, limit, side = 64, shares = [0.9, 0.5]) {
  /** @param {number} x @param {number} y */
  const log = (x, y) => Math.log(prior.density(x, y) + 1e-30);
  const points = prior.sample(1500, chance);
  const found = Float32Array.from({ length: 1500 }, (_, k) => log(points[2 * k], points[2 * k + 1])).sort();
  const levels = shares.map((share) => found[Math.floor((1 - share) * found.length)]);
  /** @param {number} k */
  const place = (k) => -limit + (2 * limit * k) / (side - 1);
  const floor = Math.min(...levels) - 4; // far from the prior the logarithm falls without end
  const values = Float32Array.from({ length: side * side }, (_, i) =>
    Math.max(floor, log(place(i % side), place(Math.floor(i / side)))),
  );
  return { grid: { width: side, height: side, values }, levels };
}

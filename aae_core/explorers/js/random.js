// Chance, in the page.

/** @typedef {{ uniform: () => number, normal: () => number, below: (n: number) => number }} Chance */

/**
 * One number from the standard normal distribution (Box and Muller), of two uniform ones.
 * @param {() => number} uniform
 */
export const normal = (uniform = Math.random) =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

/**
 * A code from N(0, I), each coordinate kept within the sliders' reach and to two decimals, as links write it.
 * @param {number} dim
 * @param {number} limit
 */
export const sampleNormal = (dim, limit = Infinity) =>
  Array.from({ length: dim }, () => +Math.max(-limit, Math.min(limit, normal())).toFixed(2));

/**
 * One of the codes that were drawn from a prior; where there are none, one from N(0, I).
 * @param {number[][]} draws
 * @param {number} dim
 * @param {number} limit
 */
export const sampleCode = (draws, dim, limit) =>
  draws.length ? draws[Math.floor(Math.random() * draws.length)] : sampleNormal(dim, limit);

/**
 * Chance that repeats itself: the same numbers for the same seed. (mulberry32, by T. Ettinger, in the
 * public domain.) `uniform()` is in [0, 1), `normal()` standard normal, `below(n)` a whole number from 0 to n - 1.
 * @param {number} seed
 * @returns {Chance}
 */
export function seeded(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b9) >>> 0; // neighbouring seeds begin far apart
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
  /**  */
  return { uniform, normal: () => normal(uniform), below: (n) => Math.floor(uniform() * n) };
}

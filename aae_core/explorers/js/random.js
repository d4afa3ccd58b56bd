// Chance, in the page.

/** One number from the standard normal distribution (Box and Muller). */
export const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/** A code from N(0, I), each coordinate kept within the sliders' reach and to two decimals, as links write it. */
export const sampleNormal = (dim, limit = Infinity) =>
  Array.from({ length: dim }, () => +Math.max(-limit, Math.min(limit, normal())).toFixed(2));

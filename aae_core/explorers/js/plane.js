// Points of the plane, as lists [x0, y0, x1, y1, …]: which is nearest, how many are near, and a circle about one.

/**
 * Squared distance from z to the k-th nearest of `points`.
 * @param {ArrayLike<number>} points
 * @param {number[]} z
 * @param {number} k
 */
export function nearest(points, [x, y], k) {
  const best = new Float64Array(k).fill(Infinity); // ascending
  for (let i = 0; i < points.length; i += 2) {
    const d = (points[i] - x) ** 2 + (points[i + 1] - y) ** 2;
    if (d >= best[k - 1]) continue;
    let at = k - 1;
    for (; at > 0 && best[at - 1] > d; at--) best[at] = best[at - 1];
    best[at] = d;
  }
  return best[k - 1];
}

/**
 * Which of the first `count` points is nearest to z, by position.
 * @param {ArrayLike<number>} points
 * @param {number[]} z
 * @param {number} count
 */
export function closest(points, [x, y], count = points.length / 2) {
  let [best, least] = [0, Infinity];
  for (let k = 0; k < count; k++) {
    const d = (points[2 * k] - x) ** 2 + (points[2 * k + 1] - y) ** 2;
    if (d < least) [best, least] = [k, d];
  }
  return best;
}

/**
 * How many of `points` are nearer to z than the root of `squared`.
 * @param {ArrayLike<number>} points
 * @param {number[]} z
 * @param {number} squared
 */
export function within(points, [x, y], squared) {
  let count = 0;
  for (let i = 0; i < points.length; i += 2) count += (points[i] - x) ** 2 + (points[i + 1] - y) ** 2 < squared ? 1 : 0;
  return count;
}

/**
 * A circle as a closed path.
 * @param {number[]} centre
 * @param {number} radius
 */
export function circle([x, y], radius) {
  const path = [];
  for (let k = 0; k <= 48; k++)
    path.push(x + radius * Math.cos((k * Math.PI) / 24), y + radius * Math.sin((k * Math.PI) / 24));
  return path;
}

/**
 * The value at z of a grid over the square from -limit to limit, blended from the four points about it; beyond, that at the border.
 * @param {{ width: number, height: number, values: ArrayLike<number> }} grid row 0 at the bottom
 * @param {number[]} z
 * @param {number} limit
 */
export function blended({ width, height, values }, z, limit) {
  const place = (/** @type {number} */ value, /** @type {number} */ count) => {
    const at = Math.max(0, Math.min(count - 1, ((value + limit) / (2 * limit)) * (count - 1)));
    const k = Math.min(count - 2, Math.floor(at));
    return [k, at - k];
  };
  const [i, s] = place(z[0], width);
  const [j, t] = place(z[1], height);
  const row = (/** @type {number} */ k) => (1 - s) * values[k * width + i] + s * values[k * width + i + 1];
  return (1 - t) * row(j) + t * row(j + 1);
}

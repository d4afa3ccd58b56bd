// Regions of the plane that belong to classes: ribbons, each a centre line and, for every point of it, how far one
// standard deviation goes across. A place in a region is [along, across]; along as the prior counts it (standard
// deviations of a petal, share of a segment), across in standard deviations.

/** @typedef {number[]} Place [along, across] */
/** @typedef {[number, number]} Ends */

const STEPS = 256; // of the search along a centre line

/**
 * `spec` is what explorers/region.py sends: {centre, normal} (classes x points x 2), and the sliders' ends `along` and
 * `across`, [low, high] each. Returns at(k, place) -> code, inside(k, code) -> {place, distance}, nearest(code) -> k,
 * outline(k) -> [x0, y0, ...] at the sliders' ends.
 * @param {{ centre: number[][][], normal: number[][][], along: Ends, across: Ends }} spec
 */
export function makeRegions({ centre, normal, along, across }) {
  /** @param {number} value @param {Ends} ends */
  const clamp = (value, [low, high]) => Math.max(low, Math.min(high, value));

  /**
   * Centre and normal of region k, `along` its line: [cx, cy, nx, ny].
   * @param {number} k
   * @param {number} position
   */
  const frame = (k, position) => {
    const last = centre[k].length - 1;
    const t = ((clamp(position, along) - along[0]) / (along[1] - along[0])) * last;
    const i = Math.min(last - 1, Math.floor(t));
    /** @param {number[][]} list @param {number} axis */
    const blend = (list, axis) => list[i][axis] + (list[i + 1][axis] - list[i][axis]) * (t - i);
    return [blend(centre[k], 0), blend(centre[k], 1), blend(normal[k], 0), blend(normal[k], 1)];
  };

  /** @param {number} k @param {Place} place */
  const at = (k, [position, off]) => {
    const [cx, cy, nx, ny] = frame(k, position);
    return [cx + off * nx, cy + off * ny];
  };

  const lines = centre.map((_, k) =>
    Array.from({ length: STEPS + 1 }, (_, s) => {
      const position = along[0] + ((along[1] - along[0]) * s) / STEPS;
      return [position, ...frame(k, position)];
    }),
  );

  /**
   * The place in region k that is nearest to a code, and how far it is.
   * @param {number} k
   * @param {number[]} code
   */
  const inside = (k, [x, y]) => {
    let best = { place: [along[0], 0], distance: Infinity };
    for (const [position, cx, cy, nx, ny] of lines[k]) {
      const off = clamp(((x - cx) * nx + (y - cy) * ny) / (nx * nx + ny * ny), across);
      const distance = Math.hypot(x - cx - off * nx, y - cy - off * ny);
      if (distance < best.distance - 1e-12) best = { place: [position, off], distance };
    }
    return best;
  };

  /** @param {number[]} code */
  const nearest = (code) => {
    const distances = centre.map((_, k) => inside(k, code).distance);
    return distances.indexOf(Math.min(...distances));
  };

  /** @param {number} k */
  const outline = (k) => {
    /** @param {number} off */
    const side = (off) =>
      lines[k].filter((_, s) => s % 8 === 0).map(([, cx, cy, nx, ny]) => [cx + off * nx, cy + off * ny]);
    return [...side(across[1]), ...side(across[0]).reverse()].flat();
  };

  return { at, inside, nearest, outline };
}

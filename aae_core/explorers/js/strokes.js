// Strokes in the plane, and the text that keeps them: two characters a point, strokes parted by full stops, short
// enough for a page's address.

/** @typedef {number[][]} Points [x, y] each */

export const REACH = 4; // strokes lie in the square from -REACH to REACH
const SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const STEP = (2 * REACH) / (SIGNS.length - 1);
const LEAST = 0.2; // points of a stroke are at least so far apart
const MOST = 600; // points

/** @param {string} sign */
const read = (sign) => SIGNS.indexOf(sign) * STEP - REACH;
/** @param {number} value */
const write = (value) => SIGNS[Math.round((Math.max(-REACH, Math.min(REACH, value)) + REACH) / STEP)];

/**
 * Is this a text of strokes? The empty one is.
 * @param {string} text
 */
export const areStrokes = (text) =>
  text === "" || (text.length <= 3 * MOST && /^(?:[\w-]{2})+(?:\.(?:[\w-]{2})+)*$/.test(text));

/**
 * Text → strokes, each a list of points [x, y].
 * @param {string} text
 * @returns {Points[]}
 */
export const readStrokes = (text) =>
  text
    .split(".")
    .filter(Boolean)
    .map((part) => [...part.matchAll(/../g)].map(([pair]) => pair).map(([x, y]) => [read(x), read(y)]));

/**
 * Strokes → text; points that are close to the one before are left out.
 * @param {Points[]} strokes
 */
export function writeStrokes(strokes) {
  let left = MOST;
  const kept = strokes.map((points) => {
    /** @type {number[] | null} */
    let before = null;
    return points.filter((point) => {
      if (!left || (before && Math.hypot(point[0] - before[0], point[1] - before[1]) < LEAST)) return false;
      before = point;
      left -= 1;
      return true;
    });
  });
  return kept
    .filter((points) => points.length)
    .map((points) => points.map(([x, y]) => write(x) + write(y)).join(""))
    .join(".");
}

/**
 * Points [x0, y0, …] along strokes, evenly spaced; a dab counts as much as a short stroke.
 * @param {Points[]} strokes
 * @param {number} gap
 * @param {number} dab
 */
export function beads(strokes, gap = 0.1, dab = 5) {
  const out = [];
  for (const points of strokes) {
    /** @type {number[]} */
    const own = [];
    let rest = 0; // of the gap, at the beginning of a segment
    points.slice(1).forEach(([x, y], k) => {
      const [fromX, fromY] = points[k];
      const length = Math.hypot(x - fromX, y - fromY);
      for (; rest < length; rest += gap)
        own.push(fromX + ((x - fromX) * rest) / length, fromY + ((y - fromY) * rest) / length);
      rest -= length;
    });
    if (!own.length) own.push(...points[0]);
    for (let k = 0; own.length < 2 * dab; k++) own.push(...own.slice(2 * k, 2 * k + 2));
    out.push(...own);
  }
  return Float32Array.from(out);
}

// Lines of equal value on a grid, by marching squares.

// Which edges of a cell (0 bottom, 1 right, 2 top, 3 left) a line joins, for each pattern of corners above the level.
const CASES = [
  [],
  [3, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [3, 0, 1, 2],
  [0, 2],
  [3, 2],
  [2, 3],
  [2, 0],
  [0, 1, 2, 3],
  [2, 1],
  [1, 3],
  [1, 0],
  [0, 3],
  [],
];

/**
 * Segments [x0, y0, x1, y1, …] in grid units where `values` (row by row, `width` to a row) passes `level`.
 * Grid point (column j, row i) is at (j, i).
 * @param {ArrayLike<number>} values
 * @param {number} width
 * @param {number} height
 * @param {number} level
 * @returns {number[]}
 */
export function contour(values, width, height, level) {
  const segments = [];
  /** @param {number} a @param {number} b */
  const share = (a, b) => (level - a) / (b - a);
  for (let i = 0; i + 1 < height; i++) {
    for (let j = 0; j + 1 < width; j++) {
      const at = i * width + j;
      const [a, b, c, d] = [values[at], values[at + 1], values[at + 1 + width], values[at + width]];
      const pattern = [a, b, c, d].reduce((sum, corner, k) => sum + (corner > level ? 1 << k : 0), 0);
      for (const edge of CASES[pattern]) {
        if (edge === 0) segments.push(j + share(a, b), i);
        else if (edge === 1) segments.push(j + 1, i + share(b, c));
        else if (edge === 2) segments.push(j + share(d, c), i + 1);
        else segments.push(j, i + share(a, d));
      }
    }
  }
  return segments;
}

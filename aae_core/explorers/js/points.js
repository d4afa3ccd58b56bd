// A reader's points, from text in two columns, as spreadsheets write it, into the unit square.

/** @typedef {{ low: number[], high: number[] }} Ends of each column */

export const MOST = 2000; // points that are learnt from
export const MARGIN = 0.05; // between the outermost points and the square's sides
const LONGEST = 4_000_000; // characters
const SEPARATORS = ["\t", ";", ","];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The text of a file, which is not opened if it is longer than any that is read.
 * @param {Pick<File, "name" | "size" | "text">} file
 */
export async function textOf(file) {
  const { name, size } = file;
  if (size > 3 * LONGEST)
    throw new Error(
      `${name}: expected at most ${LONGEST.toLocaleString("en")} characters, got ${size.toLocaleString("en")} bytes.`,
    );
  return file.text();
}

/** @param {string} text */
const clipped = (text) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/**
 * Text → points [x, y]. Columns are parted by tabs, semicolons or commas, whichever of these comes first in that list and
 * is in the first row; between semicolons a decimal comma is read as well. The first row may hold names. Empty rows count, but
 * mean nothing. Throws an Error that names a row, what was expected in it and what came.
 * @param {string} text
 */
export function readPoints(text) {
  if (text.length > LONGEST)
    throw new Error(
      `Expected at most ${LONGEST.toLocaleString("en")} characters, got ${text.length.toLocaleString("en")}.`,
    );
  const rows = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .map((line, k) => ({ line: line.trim(), row: k + 1 }))
    .filter(({ line }) => line);
  const separator = SEPARATORS.find((sign) => rows[0]?.line.includes(sign)) ?? ",";
  const read = rows.map(({ line, row }) => {
    const cells = line.split(separator).map((cell) =>
      cell
        .trim()
        .replace(/^"(.*)"$/, "$1")
        .trim(),
    );
    if (cells.length !== 2)
      throw new Error(
        `Row ${row}: expected two columns parted by comma, semicolon or tab, got ${cells.length}: ${clipped(line)}`,
      );
    return { line, row, point: cells.map((cell) => number(separator === ";" ? cell.replace(",", ".") : cell)) };
  });
  if (read[0]?.point.every(Number.isNaN)) read.shift(); // the columns' names
  for (const { line, row, point } of read)
    if (!point.every(Number.isFinite)) throw new Error(`Row ${row}: expected two numbers, got ${clipped(line)}`);
  if (read.length < 2) throw new Error(`Expected at least 2 points, one a row, got ${read.length || "none"}.`);
  return read.map(({ point }) => point);
}

/** @param {string} text */
const number = (text) => (NUMBER.test(text) ? Number(text) : NaN);

/**
 * At most so many of the points, evenly spaced in their order.
 * @param {number[][]} points
 */
export const thinned = (points, most = MOST) =>
  points.length <= most
    ? points
    : Array.from({ length: most }, (_, k) => points[Math.floor((k * points.length) / most)]);

/**
 * Points into the unit square, each column by itself: its ends lie a margin from the square's sides; a column that is constant,
 * in the middle.
 * @param {number[][]} points
 */
export function scaled(points) {
  const [low, high] = [Math.min, Math.max].map((end) =>
    [0, 1].map((c) => points.reduce((best, point) => end(best, point[c]), points[0][c])),
  );
  /** @param {number} value @param {number} c */
  const place = (value, c) => {
    const span = high[c] / 2 - low[c] / 2; // halves: the whole may be too large for a number
    return span ? MARGIN + (1 - 2 * MARGIN) * ((value / 2 - low[c] / 2) / span) : 0.5;
  };
  return { points: points.map((point) => point.map(place)), ends: { low, high } };
}

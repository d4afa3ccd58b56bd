// Small multiples: a row of pictures in which one number changes from cell to cell, each cell a button that takes its
// value. One tab stop per row; arrows, Home and End move within it, Enter or Space takes.

import { picture } from "./digits.js";
import { figure, h } from "./dom.js";

/** @import { Shape } from "./decoder.js" */
/** @import { Theme } from "./theme.js" */
/** @typedef {ReturnType<typeof strip>} Strip */

/**
 * `count` values spread evenly from low to high, both included.
 * @param {number} low
 * @param {number} high
 * @param {number} count
 */
export const spread = (low, high, count) =>
  Array.from({ length: count }, (_, j) => (count > 1 ? low + ((high - low) * j) / (count - 1) : (low + high) / 2));

/**
 * `values` are the cells' values, `shape` the images' [C, H, W], `name` what varies, as a screen reader says it.
 * `onPick(value, j)` runs when a cell is taken; `mark(value)` shows which cell is the current one, if any is.
 * `paint(pixels, theme)` draws one image per cell, one after another in `pixels`.
 * @param {{
 *   values: number[], shape: Shape, name: string, format?: (value: number) => string,
 *   onPick: (value: number, j: number) => void,
 * }} options
 */
export function strip({ values, shape, name, format = figure, onPick }) {
  const size = shape[0] * shape[1] * shape[2];
  const pictures = values.map(() => picture(shape, { "aria-hidden": "true" }));
  const cells = values.map((value, j) =>
    h(
      "button",
      {
        type: "button",
        class: "aae-cell",
        tabindex: j ? -1 : 0,
        "aria-label": `${name} = ${format(value)}`,
        "aria-pressed": "false",
        "data-lm-suppress-shortcuts": "true",
        on: { click: () => onPick(value, j) },
      },
      pictures[j].el,
    ),
  );
  const el = h("div", { class: "aae-strip", role: "group", "aria-label": `${name}, swept` }, ...cells);
  el.style.setProperty("--count", String(values.length));
  const at = (/** @type {Event} */ event) => cells.indexOf(/** @type {HTMLButtonElement} */ (event.target));
  const reach = (/** @type {number} */ j) => cells.forEach((cell, k) => (cell.tabIndex = k === j ? 0 : -1));
  el.addEventListener("focusin", (event) => reach(at(event)));
  el.addEventListener("keydown", (event) => {
    const from = at(event);
    const forward = getComputedStyle(el).direction === "rtl" ? -1 : 1;
    /** @type {Record<string, number>} */
    const ways = { ArrowRight: from + forward, ArrowLeft: from - forward, Home: 0, End: cells.length - 1 };
    const to = ways[event.key];
    if (to === undefined) return;
    event.preventDefault();
    cells[Math.max(0, Math.min(cells.length - 1, to))].focus();
  });
  return {
    el,
    values,
    canvases: pictures.map((one) => one.el),
    /** @param {Float32Array} pixels @param {Theme} theme */
    paint: (pixels, theme) => pictures.forEach((one, j) => one.paint(pixels, theme, j * size)),
    repaint: (/** @type {Theme} */ theme) => pictures.forEach((one) => one.repaint(theme)),
    mark: (/** @type {number} */ value) =>
      cells.forEach((cell, j) => cell.setAttribute("aria-pressed", String(Math.abs(values[j] - value) < 0.005))),
  };
}

// Small multiples: a row of pictures in which one number changes from cell to cell, each cell a button that takes its
// value. One tab stop per row; arrows, Home and End move within it, Enter or Space takes.

import { figure, h } from "./dom.js";
import { picture } from "./digits.js";

/** `count` values spread evenly from low to high, both included. */
export const spread = (low, high, count) =>
  Array.from({ length: count }, (_, j) => (count > 1 ? low + ((high - low) * j) / (count - 1) : (low + high) / 2));

/**
 * `values` are the cells' values, `shape` the images' [C, H, W], `name` what varies, as a screen reader says it.
 * `onPick(value, j)` runs when a cell is taken; `mark(value)` shows which cell is the current one, if any is.
 * `paint(pixels, theme)` draws one image per cell, one after another in `pixels`.
 */
export function strip({ values, shape, name, format = figure, onPick }) {
  const size = shape[0] * shape[1] * shape[2];
  const pictures = values.map(() => picture(shape, { "aria-hidden": "true" }));
  const cells = values.map((value, j) =>
    h(
      "button",
      {
        type: "button", class: "aae-cell", tabindex: j ? -1 : 0, "aria-label": `${name} = ${format(value)}`,
        "aria-pressed": "false", "data-lm-suppress-shortcuts": "true", on: { click: () => onPick(value, j) },
      },
      pictures[j].el,
    ),
  );
  const el = h("div", { class: "aae-strip", role: "group", "aria-label": `${name}, swept` }, ...cells);
  el.style.setProperty("--count", values.length);
  const reach = (j) => cells.forEach((cell, k) => (cell.tabIndex = k === j ? 0 : -1));
  el.addEventListener("focusin", (event) => reach(cells.indexOf(event.target)));
  el.addEventListener("keydown", (event) => {
    const at = cells.indexOf(event.target);
    const forward = getComputedStyle(el).direction === "rtl" ? -1 : 1;
    const to = { ArrowRight: at + forward, ArrowLeft: at - forward, Home: 0, End: cells.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    cells[Math.max(0, Math.min(cells.length - 1, to))].focus();
  });
  return {
    el, values,
    canvases: pictures.map((one) => one.el),
    paint: (pixels, theme) => pictures.forEach((one, j) => one.paint(pixels, theme, j * size)),
    repaint: (theme) => pictures.forEach((one) => one.repaint(theme)),
    mark: (value) => cells.forEach((cell, j) => cell.setAttribute("aria-pressed", Math.abs(values[j] - value) < 0.005)),
  };
}

// A row of pictures, one per class, of which one may be picked: native radio buttons, so that the keyboard works as
// it does everywhere (Tab to the row, arrows within it, Escape or a second click to let go). Of many classes, a
// select above the row says which are drawn.

import { picture } from "./digits.js";
import { h, input, uniqueId } from "./dom.js";

/** @import { Shape } from "./decoder.js" */
/** @import { Theme } from "./theme.js" */

const MOST = 26; // as many pictures as can be compared, and drawn in a frame: an alphabet

/**
 * `names` are the classes' names, `shape` their images' [C, H, W], `describe(name)` the accessible name of a choice.
 * `onPick(index or null)` runs when the reader picks or lets go; `set(index or null)` shows a choice.
 * `shown()` are the indices of the classes that are drawn, `onShow()` runs when they are others.
 * `paint(pixels, theme)` draws one image for each of them, one after another in `pixels`.
 * @param {{
 *   names: string[], shape: Shape, label: string, describe: (name: string) => string,
 *   onPick: (index: number | null) => void, onShow?: () => void,
 * }} options
 */
export function digitPicker({ names, shape, label, describe, onPick, onShow = () => {} }) {
  const group = uniqueId();
  const size = shape[0] * shape[1] * shape[2];
  const pictures = names.map((name) => picture(shape, { role: "img", "aria-label": `decoded ${name || "image"}` }));
  const radios = names.map((name, k) =>
    input({ type: "radio", name: group, value: k, class: "aae-hidden", "aria-label": describe(name) }),
  );
  const most = Math.ceil(names.length / Math.ceil(names.length / MOST)); // of each group, as many
  const starts = names.map((_, k) => k).filter((k) => k % most === 0);
  const ends = starts.map((first) => Math.min(first + most, names.length));
  const select = h(
    "select",
    { class: "aae-button aae-select", "aria-label": "Classes that are drawn", "data-lm-suppress-shortcuts": "true" },
    ...starts.map((first, g) => h("option", { value: g }, `${names[first]} \u2013 ${names[ends[g] - 1]}`)),
  );
  const grid = h("div", { class: "aae-picker", role: "radiogroup", "aria-label": label });
  const el = starts.length > 1 ? h("div", {}, select, grid) : grid;
  const across = (/** @type {number} */ row) => Math.ceil(most / Math.ceil(most / row)); // rows of equal length
  grid.style.setProperty("--wide", String(across(10)));
  grid.style.setProperty("--narrow", String(across(most > 20 ? 6 : 5)));
  if (names.length === 1) grid.classList.add("aae-alone");
  /** @type {number | null} */
  let picked = null;
  /** @type {number | null} */
  let before = null; // what was picked as the pointer came down
  const pick = (/** @type {number | null} */ index) => {
    if (index !== picked) onPick(index);
  };
  const tiles = names.map((name, k) => {
    const caption = name === "" ? null : h("span", { class: "aae-name", "aria-hidden": "true" }, name);
    const tile = h("label", { class: "aae-tile" }, radios[k], pictures[k].el, caption);
    radios[k].addEventListener("change", () => pick(k));
    radios[k].addEventListener("click", () => {
      if (before === k) pick(null); // a second click lets go
    });
    tile.addEventListener("pointerdown", () => (before = picked));
    return tile;
  });
  /** @type {number[]} */
  let shown = [];
  const show = (/** @type {number} */ g) => {
    select.value = String(g);
    shown = names.map((_, k) => k).slice(starts[g], ends[g]);
    grid.replaceChildren(...shown.map((k) => tiles[k]));
  };
  select.addEventListener("change", () => {
    show(Number(select.value));
    onShow();
  });
  show(0);
  grid.addEventListener("keydown", (event) => {
    before = null;
    if (event.key === "Escape" && picked !== null) pick(null);
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) pick(Number(event.target.value));
  });
  const set = (/** @type {number | null} */ index) => {
    picked = index;
    if (index !== null && !shown.includes(index)) {
      show(Math.floor(index / most));
      onShow();
    }
    radios.forEach((radio, k) => {
      radio.checked = k === index;
      tiles[k].classList.toggle("aae-picked", k === index);
    });
  };
  return {
    el,
    pictures,
    set,
    shown: () => shown,
    canvases: () => shown.map((k) => pictures[k].el),
    /** @param {Float32Array} pixels @param {Theme} theme */
    paint: (pixels, theme) => shown.forEach((k, j) => pictures[k].paint(pixels, theme, j * size)),
    repaint: (/** @type {Theme} */ theme) => pictures.forEach((one) => one.repaint(theme)),
  };
}

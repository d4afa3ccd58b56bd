// A row of pictures, one per class, of which one may be picked: native radio buttons, so that the keyboard works as
// it does everywhere (Tab to the row, arrows within it, Escape or a second click to let go).

import { picture } from "./digits.js";
import { h, input, uniqueId } from "./dom.js";

/** @import { Shape } from "./decoder.js" */
/** @import { Theme } from "./theme.js" */

/**
 * `names` are the classes' names, `shape` their images' [C, H, W], `describe(name)` the accessible name of a choice.
 * `onPick(index or null)` runs when the reader picks or lets go; `set(index or null)` shows a choice.
 * `paint(pixels, theme)` draws one image per class, one after another in `pixels`.
 * @param {{
 *   names: string[], shape: Shape, label: string, describe: (name: string) => string,
 *   onPick: (index: number | null) => void,
 * }} options
 */
export function digitPicker({ names, shape, label, describe, onPick }) {
  const group = uniqueId();
  const size = shape[0] * shape[1] * shape[2];
  const pictures = names.map((name) => picture(shape, { role: "img", "aria-label": `decoded ${name || "image"}` }));
  const radios = names.map((name, k) =>
    input({ type: "radio", name: group, value: k, class: "aae-hidden", "aria-label": describe(name) }),
  );
  const el = h("div", { class: "aae-picker", role: "radiogroup", "aria-label": label });
  const across = (/** @type {number} */ most) => Math.ceil(names.length / Math.ceil(names.length / most)); // rows of equal length
  el.style.setProperty("--wide", String(across(10)));
  el.style.setProperty("--narrow", String(across(5)));
  if (names.length === 1) el.classList.add("aae-alone");
  /** @type {number | null} */
  let picked = null;
  /** @type {number | null} */
  let before = null; // what was picked as the pointer came down
  const pick = (/** @type {number | null} */ index) => {
    if (index !== picked) onPick(index);
  };
  names.forEach((name, k) => {
    const caption = name === "" ? null : h("span", { class: "aae-name", "aria-hidden": "true" }, name);
    const tile = h("label", { class: "aae-tile" }, radios[k], pictures[k].el, caption);
    radios[k].addEventListener("change", () => pick(k));
    radios[k].addEventListener("click", () => {
      if (before === k) pick(null); // a second click lets go
    });
    tile.addEventListener("pointerdown", () => (before = picked));
    el.append(tile);
  });
  el.addEventListener("keydown", (event) => {
    before = null;
    if (event.key === "Escape" && picked !== null) pick(null);
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) pick(Number(event.target.value));
  });
  const set = (/** @type {number | null} */ index) => {
    picked = index;
    radios.forEach((radio, k) => {
      radio.checked = k === index;
      radio.parentElement?.classList.toggle("aae-picked", k === index);
    });
  };
  return {
    el,
    pictures,
    set,
    canvases: pictures.map((one) => one.el),
    /** @param {Float32Array} pixels @param {Theme} theme */
    paint: (pixels, theme) => pictures.forEach((one, k) => one.paint(pixels, theme, k * size)),
    repaint: (/** @type {Theme} */ theme) => pictures.forEach((one) => one.repaint(theme)),
  };
}

// A row of pictures, one per class, of which one may be picked: native radio buttons, so that the keyboard works as
// it does everywhere (Tab to the row, arrows within it, Escape or a second click to let go).

import { h, input, uniqueId } from "./dom.js";
import { picture } from "./digits.js";

/**
 * `names` are the classes' names, `shape` their images' [C, H, W], `describe(name)` the accessible name of a choice.
 * `onPick(index or null)` runs when the reader picks or lets go; `set(index or null)` shows a choice.
 * `paint(pixels, theme)` draws one image per class, one after another in `pixels`.
 */
export function digitPicker({ names, shape, label, describe, onPick }) {
  const group = uniqueId();
  const size = shape[0] * shape[1] * shape[2];
  const pictures = names.map((name) => picture(shape, { role: "img", "aria-label": `decoded ${name || "image"}` }));
  const radios = names.map((name, k) =>
    input({ type: "radio", name: group, value: k, class: "aae-hidden", "aria-label": describe(name) }),
  );
  const el = h("div", { class: "aae-picker", role: "radiogroup", "aria-label": label });
  const across = (most) => Math.ceil(names.length / Math.ceil(names.length / most)); // rows of equal length
  el.style.setProperty("--wide", across(10));
  el.style.setProperty("--narrow", across(5));
  if (names.length === 1) el.classList.add("aae-alone");
  let picked = null;
  const pick = (index) => {
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
  let before = null;
  el.addEventListener("keydown", (event) => {
    before = null;
    if (event.key === "Escape" && picked !== null) pick(null);
    if (event.key === "Enter" && event.target.matches("input")) pick(Number(event.target.value));
  });
  const set = (index) => {
    picked = index;
    radios.forEach((radio, k) => {
      radio.checked = k === index;
      radio.parentElement.classList.toggle("aae-picked", k === index);
    });
  };
  return {
    el, pictures, set,
    canvases: pictures.map((one) => one.el),
    paint: (pixels, theme) => pictures.forEach((one, k) => one.paint(pixels, theme, k * size)),
    repaint: (theme) => pictures.forEach((one) => one.repaint(theme)),
  };
}

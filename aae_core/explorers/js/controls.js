// Buttons and sliders.

import { figure, h, icon, input } from "./dom.js";

/**
 * A push button. `kind` is "plain" or "quiet" (no border).
 * @param {string} text
 * @param {() => void} onClick
 * @param {"plain" | "quiet"} kind
 */
export const button = (text, onClick, kind = "plain") =>
  h("button", { type: "button", class: `aae-button aae-${kind}`, on: { click: onClick } }, text);

const PLAY = "M8 5v14l11-7z";
const PAUSE = "M7 5h4v14H7zM13 5h4v14h-4z";

/**
 * A round button that says what it will do, "Play" or "Pause"; `set(playing)` turns it over.
 * @param {() => void} onClick
 */
export function playButton(onClick) {
  const el = button("", onClick);
  el.classList.add("aae-icon");
  const set = (/** @type {boolean} */ playing) => {
    el.replaceChildren(icon(playing ? PAUSE : PLAY));
    el.setAttribute("aria-label", playing ? "Pause" : "Play");
  };
  set(false);
  return { el, set };
}

/**
 * A native slider with its label and its value.
 * `label` is an element or text to show, `name` what a screen reader says, `onInput(value)` runs as it is moved.
 * `set(value)` moves it; a value beyond its ends shows as it is, with the thumb at the end.
 * @param {{
 *   label: Node | string, name: string, min: number, max: number, step: number, value?: number,
 *   format?: (value: number) => string, onInput: (value: number) => void,
 * }} options
 */
export function slider({ label, name, min, max, step, value = 0, format = figure, onInput }) {
  const range = input({ type: "range", class: "aae-range", min, max, step, "aria-label": name });
  const output = h("bdi", { dir: "ltr" }); // a minus sign stays before its number on a page from right to left
  const shown = h("span", { class: "aae-value", "aria-hidden": "true" }, output);
  const el = h(
    "div",
    { class: "aae-slider" },
    h("span", { class: "aae-label", "aria-hidden": "true" }, label),
    range,
    shown,
  );
  const share = (/** @type {number} */ x) => `${(100 * (Math.min(max, Math.max(min, x)) - min)) / (max - min)}%`;
  const origin = Math.min(max, Math.max(min, 0));
  let [last, before] = [value, value]; // what is shown, and what was as a pointer came down
  const set = (/** @type {number} */ x) => {
    last = x;
    if (Number(range.value) !== x) range.value = String(x);
    range.setAttribute("aria-valuetext", format(x));
    output.textContent = format(x);
    range.style.setProperty("--from", share(Math.min(origin, x))); // the bar runs from zero to the thumb
    range.style.setProperty("--to", share(Math.max(origin, x)));
  };
  range.addEventListener("input", () => onInput(Number(range.value)));
  range.addEventListener("pointerdown", () => (before = last));
  // A finger that came down here to scroll the page has moved the slider before anybody could know.
  range.addEventListener("pointercancel", () => {
    if (last === before && Number(range.value) === before) return;
    set(before);
    onInput(before);
  });
  set(value);
  return { el, range, set };
}

/**
 * z with its index, as the book writes a coordinate of a code.
 * @param {number} k
 */
export const coordinate = (k, letter = "z") => h("span", {}, h("i", {}, letter), h("sub", {}, String(k + 1)));

/**
 * One slider per coordinate of a code, from -limit to limit. `onInput(code)` gets a new list; `set(code)` moves them.
 * Each of `rows` is a slider, and has room beneath its label for more (a strip of pictures, say).
 * @param {{ dim: number, limit: number, step?: number, word?: string, onInput: (code: number[]) => void }} options
 */
export function sliderPanel({ dim, limit, step = 0.05, word = "style", onInput }) {
  /** @type {number[]} */
  let code = Array(dim).fill(0);
  const rows = Array.from({ length: dim }, (_, k) =>
    slider({
      label: coordinate(k),
      name: `${word} ${k + 1}`,
      min: -limit,
      max: limit,
      step,
      onInput: (value) => onInput(code.with?.(k, value) ?? code.map((old, j) => (j === k ? value : old))),
    }),
  );
  const el = h("div", { class: "aae-panel" }, ...rows.map((row) => row.el));
  const set = (/** @type {number[]} */ next) => {
    code = [...next];
    rows.forEach((row, k) => row.set(code[k]));
  };
  return { el, rows, set };
}

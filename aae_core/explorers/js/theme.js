// The palette as the page now shows it. Canvases cannot inherit colours, so they ask here and are told of changes.

import { pencil } from "./dom.js";

/** @typedef {number[]} Rgb [r, g, b] */
/** @typedef {"ink" | "muted" | "rule" | "paper" | "raised" | "accent" | "contrast"} Name */
/** @typedef {Record<Name, Rgb> & { digits: Rgb[] }} Theme */

/** @type {Name[]} */
const NAMES = ["ink", "muted", "rule", "paper", "raised", "accent", "contrast"];
/** @type {CanvasRenderingContext2D | undefined} */
let made;

/**
 * Any CSS colour as [r, g, b]; the canvas does the parsing, system colours included.
 * @param {string} colour
 * @returns {Rgb}
 */
function rgb(colour) {
  made ??= pencil(document.createElement("canvas"));
  const context = made;
  context.fillStyle = "#000";
  context.fillStyle = colour.trim();
  const text = context.fillStyle;
  if (text[0] === "#") return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  return (text.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
}

/**
 * [r, g, b] as CSS, with an opacity.
 * @param {Rgb} colour
 * @param {number} alpha
 */
export const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

/**
 * The colour a share `t` of the way from `a` to `b`.
 * @param {Rgb} a
 * @param {Rgb} b
 * @param {number} t
 */
export const mix = (a, b, t) => a.map((value, k) => value + (b[k] - value) * t);

/**
 * Colours under `root`, kept current: `theme.ink`, …, `theme.digits[k]`, each [r, g, b].
 * `onChange` runs after the reader, the host or the system has changed the theme.
 * @param {HTMLElement} root
 * @param {() => void} onChange
 * @param {AbortSignal} signal
 */
export function watchTheme(root, onChange, signal) {
  const theme = /** @type {Theme} */ ({});
  const read = () => {
    const style = getComputedStyle(root);
    for (const name of NAMES) theme[name] = rgb(style.getPropertyValue(`--aae-${name}`));
    theme.digits = Array.from({ length: 10 }, (_, k) => rgb(style.getPropertyValue(`--aae-digit-${k}`)));
    return JSON.stringify(theme);
  };
  let before = read();
  const check = () => {
    if (!root.isConnected) return; // what is not on the page has no colours
    const now = read();
    if (now !== before) {
      before = now;
      onChange();
    }
  };
  const observer = new MutationObserver(check);
  const options = { attributes: true, attributeFilter: ["class", "theme", "data-theme", "data-jp-theme-light"] };
  observer.observe(document.documentElement, options);
  observer.observe(document.body, options);
  const arrival = new ResizeObserver(check); // Jupyter makes a view first and puts it on the page afterwards
  arrival.observe(root);
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
    matchMedia(query).addEventListener("change", check, { signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    arrival.disconnect();
  });
  return theme;
}

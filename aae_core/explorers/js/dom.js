// Elements in one line each, and the few habits that every control shares.

/** @typedef {Record<string, any>} Attributes what setAttribute takes, and `on`, listeners by event */
/** @typedef {Node | string | null | undefined} Child */

/**
 * An element: `h("p", {class: "note", on: {click: f}}, "text", child)`. Attributes that are false or null are left
 * out, true ones are set empty; children that are null are skipped.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    else if (value !== false && value !== null && value !== undefined)
      node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * The context of a canvas that is small, and read back number by number.
 * @param {HTMLCanvasElement} canvas
 */
export const pencil = (canvas) =>
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));

/**
 * Begins a path through places [x0, y0, x1, y1, …].
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} places
 */
export function trace(context, places) {
  context.beginPath();
  for (let k = 0; k < places.length; k += 2) context.lineTo(places[k], places[k + 1]);
}

/**
 * Draws that path, in a colour as CSS has it.
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} places
 * @param {string} colour
 * @param {number} thickness
 * @param {number[]} dash
 */
export function polyline(context, places, colour, thickness, dash = []) {
  trace(context, places);
  context.strokeStyle = colour;
  context.lineWidth = thickness;
  context.setLineDash(dash);
  context.stroke();
}

/**
 * An `<input>` whose keys stay its own: JupyterLab's command mode otherwise takes the arrows away from it.
 * @param {Attributes} attributes
 */
export function input(attributes) {
  return h("input", { "data-lm-suppress-shortcuts": "true", autocomplete: "off", ...attributes });
}

/**
 * A drawing of 24 by 24 units in the text's colour, from the data of one SVG path.
 * @param {string} path
 */
export function icon(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const look = { viewBox: "0 0 24 24", width: "20", height: "20", fill: "currentColor", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(look)) svg.setAttribute(key, value);
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

let count = 0;
const prefix = `aae-${Math.random().toString(36).slice(2, 8)}`;

/** An id that no other explorer on the page uses, though each brings its own copy of this module. */
export const uniqueId = () => `${prefix}-${++count}`;

/**
 * A number as the reader sees it: fixed digits and a true minus sign.
 * @param {number} value
 * @param {number} digits
 */
export const figure = (value, digits = 2) =>
  (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits).replace("-", "\u2212");

/** A polite live region. `say(text)` is for things done (sampled, copied), never for each step of a drag. */
export function announcer() {
  const el = h("p", { class: "aae-hidden", role: "status", "aria-live": "polite" });
  let timer = 0;
  /** @param {string} text */
  const say = (text) => {
    el.textContent = ""; // so that the same words are said again
    clearTimeout(timer);
    timer = window.setTimeout(() => (el.textContent = text), 50);
  };
  return { el, say, stop: () => clearTimeout(timer) };
}

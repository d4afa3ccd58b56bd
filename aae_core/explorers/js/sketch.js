// Paper to draw on, with mouse, finger or pen.

import { keepCrisp } from "./crisp.js";
import { h, pencil } from "./dom.js";
import { trace } from "./ink.js";
import { css } from "./theme.js";

/** @import { Stroke } from "./ink.js" */
/** @import { Theme } from "./theme.js" */

const NIB = [[0.5, 0.36]]; // where an empty paper shows how broad the pen is

const place = (/** @type {number} */ share) => Math.round(1000 * Math.max(0, Math.min(1, share))) / 1000;

/**
 * `name` is what a screen reader calls the paper, `hint` stands on it while it is empty. `onStroke(stroke, done)` runs
 * with the stroke so far as it is drawn, and once more when the pointer lets go. `set(strokes, pen, image)` shows
 * strokes, on a canvas `image` if there is one.
 * @param {{
 *   name: string, hint: string, theme: Theme, signal: AbortSignal,
 *   onStroke: (stroke: Stroke, done: boolean) => void,
 * }} options
 */
export function sketch({ name, hint, theme, onStroke, signal }) {
  const note = h("span", { class: "aae-hint", "aria-hidden": "true" }, hint);
  const canvas = h("canvas", { class: "aae-plane", role: "img", "aria-label": name });
  const context = pencil(canvas);
  const el = h("div", { class: "aae-pad aae-paper" }, canvas, note);
  /** @type {{ strokes: Stroke[], pen: number, image: HTMLCanvasElement | null }} */
  let shown = { strokes: [], pen: 0, image: null };
  const repaint = keepCrisp(
    canvas,
    el,
    (width, height) => {
      context.imageSmoothingQuality = "high";
      const { strokes, pen, image } = shown;
      if (image) context.drawImage(image, 0, 0, width, height);
      context.scale(width, height);
      context.strokeStyle = css(note.hidden ? theme.ink : theme.rule);
      if (!image) trace(context, note.hidden ? strokes : NIB, pen);
    },
    signal,
  );

  /** @type {Stroke | null} */
  let stroke = null;
  const add = (/** @type {PointerEvent} */ event) => {
    if (!stroke) return;
    const box = canvas.getBoundingClientRect();
    const [x, y] = [place((event.clientX - box.left) / box.width), place((event.clientY - box.top) / box.height)];
    if (stroke.at(-2) !== x || stroke.at(-1) !== y) stroke.push(x, y);
  };
  const end = (/** @type {PointerEvent} */ event) => {
    if (!stroke || !el.hasPointerCapture(event.pointerId)) return;
    const whole = stroke;
    stroke = null;
    onStroke(whole, true);
  };
  el.addEventListener("pointerdown", (event) => {
    if (event.button || stroke) return;
    event.preventDefault();
    el.setPointerCapture(event.pointerId);
    stroke = [];
    add(event);
    onStroke(stroke, false);
  });
  el.addEventListener("pointermove", (event) => {
    if (!stroke || !el.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? [];
    (between.length ? between : [event]).forEach(add);
    onStroke(stroke, false);
  });
  el.addEventListener("pointerup", end);
  el.addEventListener("pointercancel", end);
  return {
    el,
    canvas,
    repaint,
    /** @param {Stroke[]} strokes @param {number} pen @param {HTMLCanvasElement | null} image */
    set: (strokes, pen, image) => {
      shown = { strokes, pen, image };
      note.hidden = strokes.length > 0 || image !== null;
      repaint();
    },
  };
}

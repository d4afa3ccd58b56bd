// A number's course over the steps of a run, as a small curve without axes; the number itself stands beside it.

import { keepCrisp } from "./crisp.js";
import { h, pencil, polyline } from "./dom.js";
import { css } from "./theme.js";

/** @import { Theme } from "./theme.js" */

const MOST = 300; // points kept: beyond, every other one goes

/**
 * From 0 at the bottom to the largest value at the top; `guide` is a value at which a dotted line is drawn.
 * `add(step, value)` goes on, `clear()` begins anew, `repaint()` is for a change of theme.
 * @param {{ theme: Theme, guide?: number | null, signal: AbortSignal }} options
 */
export function curve({ theme, guide = null, signal }) {
  const el = h("canvas", { class: "aae-curve", "aria-hidden": "true" });
  const context = pencil(el);
  /** @type {[step: number, value: number][]} */
  let points = [];
  /** @param {number} width @param {number} height */
  const paint = (width, height) => {
    const top = 1.05 * points.reduce((most, [, value]) => Math.max(most, value), guide ?? 1e-9);
    const y = (/** @type {number} */ value) => height - 1 - (value / top) * (height - 2);
    polyline(context, [0, height - 0.5, width, height - 0.5], css(theme.rule), 1);
    if (guide !== null) polyline(context, [0, y(guide), width, y(guide)], css(theme.muted), 1, [1, 3]);
    const last = points.at(-1)?.[0] ?? 1;
    const places = points.flatMap(([step, value]) => [(step / last) * width, y(value)]);
    polyline(context, places, css(theme.accent), 1.5);
  };
  const repaint = keepCrisp(el, el, paint, signal);
  return {
    el,
    repaint,
    /** @param {number} step @param {number} value */
    add: (step, value) => {
      points.push([step, value]);
      if (points.length > MOST) points = points.filter((_, k) => k % 2 === 0);
      repaint();
    },
    clear: () => {
      points = [];
      repaint();
    },
  };
}

// A number's course over the steps of a run, as a small curve without axes; the number itself stands beside it.

import { keepCrisp } from "./crisp.js";
import { h, pencil } from "./dom.js";
import { css } from "./theme.js";

/** @import { Rgb, Theme } from "./theme.js" */

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
  /** @param {number[][]} places @param {Rgb} colour @param {number[]} dash @param {number} thickness */
  const line = (places, colour, dash, thickness) => {
    context.beginPath();
    for (const [x, y] of places) context.lineTo(x, y);
    context.strokeStyle = css(colour);
    context.lineWidth = thickness;
    context.setLineDash(dash);
    context.stroke();
  };
  /** @param {number} width @param {number} height */
  const paint = (width, height) => {
    const top = 1.05 * points.reduce((most, [, value]) => Math.max(most, value), guide ?? 1e-9);
    const y = (/** @type {number} */ value) => height - 1 - (value / top) * (height - 2);
    const across = (/** @type {number} */ at) => [
      [0, at],
      [width, at],
    ];
    line(across(height - 0.5), theme.rule, [], 1);
    if (guide !== null) line(across(y(guide)), theme.muted, [1, 3], 1);
    const last = points.at(-1)?.[0] ?? 1;
    line(
      points.map(([step, value]) => [(step / last) * width, y(value)]),
      theme.accent,
      [],
      1.5,
    );
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

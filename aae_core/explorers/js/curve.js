// A number's course over the steps of a run, as a small curve without axes; the number itself stands beside it.

import { h } from "./dom.js";
import { css } from "./theme.js";

const MOST = 300; // points kept: beyond, every other one goes

/**
 * From 0 at the bottom to the largest value at the top; `guide` is a value at which a dotted line is drawn.
 * `add(step, value)` goes on, `clear()` begins anew, `repaint()` is for a change of theme.
 */
export function curve({ theme, guide = null, signal }) {
  const el = h("canvas", { class: "aae-curve", "aria-hidden": "true" });
  const context = el.getContext("2d", { willReadFrequently: true });
  let points = [];
  let frame = 0;
  const paint = () => {
    frame = 0;
    const [width, height] = [el.clientWidth, el.clientHeight];
    const ratio = Math.min(3, devicePixelRatio);
    if (!width) return;
    [el.width, el.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const top = 1.05 * points.reduce((most, [, value]) => Math.max(most, value), guide ?? 1e-9);
    const y = (value) => height - 1 - (value / top) * (height - 2);
    const line = (places, colour, dash, thickness) => {
      context.beginPath();
      for (const place of places) context.lineTo(...place);
      context.strokeStyle = css(colour);
      context.lineWidth = thickness;
      context.setLineDash(dash);
      context.stroke();
    };
    line([[0, height - 0.5], [width, height - 0.5]], theme.rule, [], 1);
    if (guide !== null) line([[0, y(guide)], [width, y(guide)]], theme.muted, [1, 3], 1);
    const last = points.at(-1)?.[0] ?? 1;
    if (points.length) line(points.map(([step, value]) => [(step / last) * width, y(value)]), theme.accent, [], 1.5);
  };
  const repaint = () => (frame ||= requestAnimationFrame(paint));
  const resized = new ResizeObserver(repaint);
  resized.observe(el);
  signal.addEventListener("abort", () => {
    resized.disconnect();
    cancelAnimationFrame(frame);
  });
  return {
    el, repaint,
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

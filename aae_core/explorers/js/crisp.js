// A canvas that fills its element and has as many pixels as the screen shows there.

import { h } from "./dom.js";

/**
 * Puts a canvas with these `attributes` into `el`. `paint(context, width, height)` draws it, in CSS pixels on a cleared
 * canvas: whenever its size changes, and in the next frame after `repaint()`.
 */
export function crisp(el, attributes, paint, signal) {
  const canvas = h("canvas", { class: "aae-plane", ...attributes });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let [width, height, ratio, frame] = [0, 0, 1, 0];
  const draw = () => {
    frame = 0;
    if (!width) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context, width, height);
  };
  const resized = new ResizeObserver(() => {
    [width, height, ratio] = [el.clientWidth, el.clientHeight, Math.min(3, devicePixelRatio)];
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    cancelAnimationFrame(frame);
    draw();
  });
  el.append(canvas);
  resized.observe(el);
  signal.addEventListener("abort", () => {
    resized.disconnect();
    cancelAnimationFrame(frame);
  });
  return { canvas, repaint: () => (frame ||= requestAnimationFrame(draw)) };
}

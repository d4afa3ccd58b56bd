// A canvas that fills its element and has as many pixels as the screen shows there.

import { pencil } from "./dom.js";

/**
 * `paint(width, height)` draws `canvas`, which lies in `el` or is it: in CSS pixels, on a cleared canvas, whenever its size
 * changes, and in the next frame after the returned function was called.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} el
 * @param {(width: number, height: number) => void} paint
 * @param {AbortSignal} signal
 */
export function keepCrisp(canvas, el, paint, signal) {
  const context = pencil(canvas);
  let [width, height, ratio, frame] = [0, 0, 1, 0];
  const draw = () => {
    frame = 0;
    if (!width) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(width, height);
  };
  const resized = new ResizeObserver(() => {
    if (!el.clientWidth) return; // hidden
    [width, height, ratio] = [el.clientWidth, el.clientHeight, Math.min(3, devicePixelRatio)];
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    cancelAnimationFrame(frame);
    draw();
  });
  resized.observe(el);
  signal.addEventListener("abort", () => {
    resized.disconnect();
    cancelAnimationFrame(frame);
  });
  return () => (frame ||= requestAnimationFrame(draw));
}

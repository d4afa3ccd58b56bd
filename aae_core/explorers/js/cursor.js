// The cursor of a plane: it follows the pointer, the finger and the arrow keys. For keyboard and screen reader it is two
// sliders, one per coordinate; all four arrows work in either.

import { figure, h, input } from "./dom.js";

/**
 * In `el`, the plane; the options are those of `pad`, and `toCode` turns pixels into codes.
 * @param {{
 *   el: HTMLElement, extent: number[], name: string, axes: string[], step: number,
 *   toCode: (x: number, y: number) => number[],
 *   onMove?: (place: number[], done: boolean) => void, onCancel?: () => void,
 * }} options
 */
export function makeCursor({ el, extent, name, axes, step, toCode, onMove, onCancel }) {
  const [left, right, bottom, top] = extent;
  let place = [0, 0];
  const limits = [
    [left, right],
    [bottom, top],
  ];
  const cursor = h("div", { class: "aae-cursor" });
  const ranges = limits.map(([min, max], k) =>
    input({ type: "range", class: "aae-hidden", min, max, step: "any", "aria-label": `${name}, ${axes[k]}` }),
  );
  const clamp = (/** @type {number[]} */ code) =>
    code.map((value, k) => Math.max(limits[k][0], Math.min(limits[k][1], value)));
  const set = (/** @type {number[]} */ code) => {
    place = [...code];
    const [x, y] = clamp(code);
    cursor.style.left = `${(100 * (x - left)) / (right - left)}%`;
    cursor.style.top = `${(100 * (top - y)) / (top - bottom)}%`;
    ranges.forEach((range, k) => {
      range.value = String(code[k]);
      range.setAttribute("aria-valuetext", figure(code[k]));
    });
  };
  /** @param {number[]} code @param {boolean} done */
  const move = (code, done) => {
    set(clamp(code).map((value) => +value.toFixed(3)));
    onMove?.(place, done);
  };
  const live = (/** @type {boolean} */ on) => {
    el.classList.toggle("aae-live-pad", on);
    for (const part of [cursor, ...ranges]) part.hidden = !on;
  };
  if (onMove) {
    el.append(cursor, ...ranges);
    live(true);
    /** @param {PointerEvent} event @param {boolean} done */
    const point = (event, done) => {
      const box = el.getBoundingClientRect();
      move(toCode(event.clientX - box.left - el.clientLeft, event.clientY - box.top - el.clientTop), done);
    };
    let before = place;
    el.addEventListener("pointerdown", (event) => {
      if (event.button || !event.isPrimary || cursor.hidden) return;
      event.preventDefault();
      before = place;
      el.setPointerCapture(event.pointerId);
      ranges[0].focus({ preventScroll: true });
      point(event, false);
    });
    el.addEventListener("pointermove", (event) => el.hasPointerCapture(event.pointerId) && point(event, false));
    el.addEventListener("pointerup", (event) => el.hasPointerCapture(event.pointerId) && point(event, true));
    el.addEventListener("pointercancel", (event) => {
      if (!event.isPrimary || cursor.hidden) return;
      if (onCancel) onCancel();
      else move(before, true);
    });
    /** @type {Record<string, number[]>} */
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    el.addEventListener("keydown", (event) => {
      const way = keys[event.key];
      if (!way) return;
      event.preventDefault();
      const pace = event.shiftKey ? 5 * step : step;
      move(
        place.map((value, k) => value + pace * way[k]),
        true,
      );
    });
    ranges.forEach((range, k) =>
      range.addEventListener("input", () =>
        move(
          place.map((value, j) => (j === k ? Number(range.value) : value)),
          true,
        ),
      ),
    );
    set(place);
  }
  return { set, live };
}

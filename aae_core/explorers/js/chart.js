// Curves over one axis, each named at its end and told from the others by its dashes as well as by its colour.

import { keepCrisp } from "./crisp.js";
import { figure, h, pencil, polyline } from "./dom.js";
import { css } from "./theme.js";

/** @import { Name, Rgb, Theme } from "./theme.js" */
/** @typedef {{ name: string, values: number[] }} Line */

const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [14, 4], [5, 2, 5, 6]];
/** @type {Name[]} */
const COLOURS = ["accent", "contrast", "ink", "muted"];
const [TOP, BOTTOM, LEFT] = [22, 24, 44]; // what lies about the plot, in CSS pixels
const LINE = 15; // between the names of two curves

/**
 * How the k-th curve is drawn: {dash, colour}, a colour of the theme.
 * @param {number} k
 */
export const look = (k) => ({ dash: DASHES[k % DASHES.length], colour: COLOURS[k % COLOURS.length] });

/**
 * A piece of the k-th curve, for beside its name.
 * @param {number} k
 */
export function swatch(k) {
  const { dash, colour } = look(k);
  const ink = `var(--aae-${colour})`;
  let at = 0;
  const stops = dash.map((length, i) => {
    const part = `${i % 2 ? "transparent" : ink} ${at}px ${at + length}px`;
    at += length;
    return part;
  });
  const fill = dash.length ? `repeating-linear-gradient(to right, ${stops})` : ink;
  return h("span", { class: "aae-swatch", "aria-hidden": "true", style: `background: ${fill}` });
}

/**
 * The value at x of a curve through (xs[k], ys[k]), xs ascending: of the cubic through the four points about x (of all,
 * where there are fewer), on a logarithmic axis if `log`. A straight line would be nats beside a curve that bends.
 * @param {number[]} xs
 * @param {number[]} ys
 * @param {number} x
 * @param {boolean} log
 */
export function valueAt(xs, ys, x, log = false) {
  const scale = log ? Math.log : Number;
  const above = xs.findIndex((one) => one >= x);
  const first = Math.max(0, Math.min(xs.length - 4, (above < 0 ? xs.length : above) - 2));
  const places = xs.slice(first, first + 4).map(scale);
  /** @param {number} at @param {number} i */
  const weight = (at, i) =>
    places.reduce((product, other, j) => (j === i ? product : (product * (at - other)) / (places[i] - other)), 1);
  return places.reduce((sum, _, i) => sum + ys[first + i] * weight(scale(x), i), 0);
}

/**
 * Round numbers within [low, high], about `count` of them.
 * @param {number} low
 * @param {number} high
 * @param {number} count
 */
export function roundTicks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10);
  const ticks = [];
  const tick = (/** @type {number} */ k) => +(k * step).toPrecision(6); // 3 * 0.05 is 0.15000000000000002
  for (let k = Math.ceil(low / step); tick(k) <= high; k++) ticks.push(tick(k));
  return ticks;
}

/**
 * 1, 2 and 5 times the powers of ten within [low, high].
 * @param {number} low
 * @param {number} high
 */
function logTicks(low, high) {
  const ticks = [];
  for (let e = Math.floor(Math.log10(low)); 10 ** e <= high; e++)
    for (const one of [1, 2, 5])
      if (one * 10 ** e >= low && one * 10 ** e <= high) ticks.push(+(one * 10 ** e).toPrecision(3));
  return ticks;
}

/**
 * `x` is {values, name, log?}, `y` {low, high, name}: what lies beyond is cut off. `lines` are {name, values}; `name` is what a
 * screen reader calls the chart. `onPick(x)` runs as the pointer takes a place, `onPlace(left, right)` when the plot's left
 * edge and its distance from the right one, in CSS pixels, may have changed. `set(x)` puts the marker there; `point(x)` an
 * arrow below the plot, at its end for what lies beyond, and null takes it away.
 * @param {{
 *   x: { values: number[], name: string, log?: boolean }, y: { low: number, high: number, name: string },
 *   lines: Line[], name: string, theme: Theme, signal: AbortSignal,
 *   onPick?: (x: number) => void, onPlace?: (left: number, right: number) => void,
 * }} options
 */
export function chart({ x, y, lines, name, theme, signal, onPick, onPlace }) {
  const canvas = h("canvas", { class: "aae-plane", role: "img", "aria-label": name });
  const context = pencil(canvas);
  const el = h("div", { class: "aae-chart" }, canvas);
  const scale = x.log ? Math.log : Number;
  const ends = [x.values[0], x.values[x.values.length - 1]];
  const [from, to] = ends.map(scale);
  const back = x.log ? Math.exp : Number;
  const fine = Array.from({ length: 200 }, (_, i) => back(from + ((to - from) * i) / 199)); // so that the curve is seen to bend
  const curves = lines.map(({ values }) => fine.map((one) => valueAt(x.values, values, one, x.log)));
  let [width, height, right] = [0, 0, 0]; // right: of the plot, from the left
  /** @type {number | null} */
  let marker = null;
  /** @type {number | null} */
  let arrow = null;
  /** @param {number} value */
  const toX = (value) => LEFT + ((scale(value) - scale(ends[0])) / (scale(ends[1]) - scale(ends[0]))) * (right - LEFT);
  /** @param {number} value */
  const toY = (value) => height - BOTTOM - ((value - y.low) / (y.high - y.low)) * (height - TOP - BOTTOM);

  /** @param {number[]} places @param {Rgb} colour */
  const thin = (places, colour) => polyline(context, places, css(colour), 1);
  /** @param {string} text @param {number} at @param {number} top @param {CanvasTextAlign} align */
  const write = (text, at, top, align, colour = theme.muted) => {
    context.textAlign = align;
    context.fillStyle = css(colour);
    context.fillText(text, at, top);
  };

  function axes() {
    for (const value of roundTicks(y.low, y.high, 5)) {
      const at = Math.round(toY(value)) + 0.5;
      thin([LEFT, at, right, at], theme.rule);
      write(figure(value, 0), LEFT - 8, at + 3.5, "right");
    }
    const ticks = x.log ? logTicks(ends[0], ends[1]) : roundTicks(ends[0], ends[1], 5);
    for (const value of ticks) {
      const at = Math.round(toX(value)) + 0.5;
      thin([at, height - BOTTOM, at, height - BOTTOM + 4], theme.muted);
      write(String(value), at, height - 6, "center");
    }
    write(y.name, 0, 11, "left");
    write(x.name, right + 12, height - 6, "left");
  }

  /** Where the names stand: beside the curves' ends, but never on each other. */
  function names() {
    const places = lines.map((line, k) => {
      const end = Math.max(TOP, Math.min(height - BOTTOM, toY(line.values[line.values.length - 1])));
      return { k, end, at: end };
    });
    places.sort((a, b) => a.end - b.end);
    for (const [i, place] of places.entries()) if (i) place.at = Math.max(place.end, places[i - 1].at + LINE);
    let floor = height - BOTTOM - 8; // the axis' name is below
    for (const place of [...places].reverse()) {
      place.at = Math.min(place.at, floor);
      floor = place.at - LINE;
    }
    for (const { k, end, at } of places) {
      const colour = theme[look(k).colour];
      thin([right + 2, end, right + 9, at], theme.rule);
      write(lines[k].name, right + 12, at + 4, "left", colour);
    }
  }

  /** @param {number} wide @param {number} high */
  const paint = (wide, high) => {
    [width, height] = [wide, high];
    context.font = `11.5px ${getComputedStyle(el).fontFamily}`;
    const widest = Math.max(...lines.map((line) => context.measureText(line.name).width));
    right = Math.round(width - Math.max(widest, context.measureText(x.name).width) - 14);
    onPlace?.(LEFT, width - right);
    axes();
    context.save();
    context.beginPath();
    context.rect(LEFT, TOP - 2, right - LEFT, height - TOP - BOTTOM + 2);
    context.clip();
    if (marker !== null) thin([toX(marker), TOP, toX(marker), height - BOTTOM], theme.muted);
    lines.forEach((line, k) => {
      const { dash, colour } = look(k);
      const places = curves[k].flatMap((value, i) => [toX(fine[i]), toY(value)]);
      polyline(context, places, css(theme[colour]), 2, dash);
      if (marker === null) return;
      context.beginPath();
      context.arc(toX(marker), toY(valueAt(x.values, line.values, marker, x.log)), 4, 0, 7);
      context.fillStyle = css(theme[colour]);
      context.fill();
    });
    context.restore();
    if (arrow !== null) {
      const [at, foot] = [toX(Math.max(ends[0], Math.min(ends[1], arrow))), height - BOTTOM];
      context.beginPath();
      for (const [dx, dy] of [
        [0, -12],
        [6, 0],
        [-6, 0],
      ])
        context.lineTo(at + dx, foot + dy);
      context.fillStyle = css(theme.ink);
      context.fill();
    }
    names();
  };
  const repaint = keepCrisp(canvas, el, paint, signal);

  /** @param {PointerEvent} event */
  const pick = (event) => {
    const box = el.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left - LEFT) / (right - LEFT)));
    onPick?.(back(from + share * (to - from)));
  };
  if (onPick) {
    el.classList.add("aae-live-chart");
    let before = /** @type {number | null} */ (marker);
    el.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      el.setPointerCapture(event.pointerId);
      before = marker;
      pick(event);
    });
    el.addEventListener("pointermove", (event) => el.hasPointerCapture(event.pointerId) && pick(event));
    el.addEventListener("pointercancel", () => before !== null && onPick(before)); // the finger scrolls the page
  }
  return {
    el,
    canvas,
    repaint,
    set: (/** @type {number | null} */ value) => {
      marker = value;
      repaint();
    },
    point: (/** @type {number | null} */ value) => {
      arrow = value;
      repaint();
    },
  };
}

// A plane to point at: codes as dots in their digits' colours, a field and contours behind them, and a cursor.
//
//   const plane = pad({ extent: [-4, 4, -4, 4], name: "code", theme, onMove: ([x, y]) => put({ z: [x, y] }), signal });
//   plane.points(codes.frame(0), codes.labels);  plane.set(get("z"));  root.append(plane.el);

import { contour } from "./contour.js";
import { keepCrisp } from "./crisp.js";
import { makeCursor } from "./cursor.js";
import { figure, h, pencil, polyline, trace } from "./dom.js";
import { css } from "./theme.js";

/** @import { Name, Theme } from "./theme.js" */
/** @typedef {{ width: number, height: number, values: ArrayLike<number> }} Grid */
/** @typedef {{ low: number, high: number }} Range */
/** @typedef {{ only?: number | null, radius?: number, opacity?: number }} Dots */
/** @typedef {{ path: number[], label: number }} Area */
/** @typedef {{ path: number[], colour?: Name, line?: number }} Path */
/** @typedef {{ at: number[], label?: number, text?: string }} Disc */

/** Where the colour of a discriminator's field is full: beyond, it has all but decided. */
export const CERTAIN = { low: 0.25, high: 0.75 };

/**
 * `extent` is [left, right, bottom, top] in code units; `name` what a screen reader calls the plane, `axes` its
 * coordinates. `onMove([x, y], done)` runs as the cursor is moved, `done` when the pointer lets go or a key was pressed;
 * without it the plane is a picture only. `onCancel()` runs where the pointer turns out to be one of two that zoom the page;
 * without it the cursor goes back. What is drawn stays until it is replaced; null takes it away:
 *
 *   points(positions, labels?, {only, radius, opacity})  [x0, y0, …]; `only` a label whose dots stand out
 *   field(grid, {low, high})           {width, height, values}, row 0 at the bottom: below the middle the palette's
 *                                      contrast colour, above it the accent, the stronger the farther
 *   contours(grid, levels)             lines of equal value
 *   areas(list)                        {path, label}: areas in their digit's colour, each path [x0, y0, x1, y1, …]
 *   paths(list)                        curves, each [x0, y0, x1, y1, …], or {path, colour, line}: a colour of the theme, a width
 *   discs(list)                        {at: [x, y], label, text}: discs with a word in them, in their digit's colour;
 *                                      without a text, a ring about a dot
 *   set([x, y])                        the cursor's place;  repaint() after a change of theme
 *   live(on)                           whether the cursor may be moved; it may, where there is `onMove`
 * @param {{
 *   extent: number[], name: string, axes?: string[], step?: number, ticks?: number, theme: Theme, signal: AbortSignal,
 *   onMove?: (place: number[], done: boolean) => void, onCancel?: () => void,
 * }} options
 */
export function pad({ extent, name, axes = ["z1", "z2"], step = 0.1, ticks = 2, theme, onMove, onCancel, signal }) {
  const [left, right, bottom, top] = extent;
  const canvas = h("canvas", { class: "aae-plane", role: "img", "aria-label": name });
  const context = pencil(canvas);
  const el = h("div", { class: "aae-pad", role: "group", "aria-label": name }, canvas);
  el.style.aspectRatio = `${right - left} / ${top - bottom}`;
  /**
   * @type {{
   *   points?: ({ positions: ArrayLike<number>, labels: ArrayLike<number> | null } & Dots) | null,
   *   field?: [Grid, Range] | null, contours?: [Grid, number[]] | null,
   *   areas?: Area[] | null, paths?: (number[] | Path)[] | null, discs?: Disc[] | null,
   * }}
   */
  const shown = {};
  let [width, height] = [0, 0]; // of the canvas, in CSS pixels
  /** @param {number} x @param {number} y */
  const toPixel = (x, y) => [((x - left) / (right - left)) * width, ((top - y) / (top - bottom)) * height];
  /** @param {number[]} path [x0, y0, x1, y1, …] */
  const toPixels = (path) => path.flatMap((x, k) => (k % 2 ? [] : toPixel(x, path[k + 1])));
  /** @param {number} px @param {number} py */
  const toCode = (px, py) => [left + (px / width) * (right - left), top - (py / height) * (top - bottom)];

  /** @param {Grid} grid @param {Range} range */
  function drawField({ width: w, height: rows, values }, { low, high }) {
    const image = new ImageData(w, rows);
    const middle = (low + high) / 2;
    for (let i = 0; i < w * rows; i++) {
      const t = Math.max(-1, Math.min(1, (values[i] - middle) / (high - middle)));
      const at = 4 * ((rows - 1 - Math.floor(i / w)) * w + (i % w));
      const colour = t < 0 ? theme.contrast : theme.accent;
      for (let c = 0; c < 3; c++) image.data[at + c] = colour[c];
      image.data[at + 3] = 90 * Math.abs(t);
    }
    const small = h("canvas", { width: w, height: rows });
    pencil(small).putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    const [dx, dy] = [width / (w - 1) / 2, height / (rows - 1) / 2]; // grid points sit on the border, pixels within
    context.drawImage(small, -dx, -dy, width + 2 * dx, height + 2 * dy);
  }

  /** @param {Grid} grid @param {number[]} levels */
  function drawContours({ width: w, height: rows, values }, levels) {
    context.beginPath();
    for (const level of levels) {
      const segments = contour(values, w, rows, level); // [x0, y0, x1, y1] each
      for (let k = 0; k < segments.length; k += 2) {
        const [x, y] = [(segments[k] / (w - 1)) * width, height - (segments[k + 1] / (rows - 1)) * height];
        if (k % 4) context.lineTo(x, y);
        else context.moveTo(x, y);
      }
    }
    context.strokeStyle = css(theme.muted, 0.6);
    context.lineWidth = 1;
    context.stroke();
  }

  /** @param {{ positions: ArrayLike<number>, labels: ArrayLike<number> | null } & Dots} points */
  function drawPoints({ positions, labels, only = null, radius = 1.7, opacity = 0.7 }) {
    /** @type {Map<number, number[]>} */
    const groups = new Map();
    for (let k = 0; 2 * k < positions.length; k++) {
      const label = labels ? labels[k] : -1;
      const group = groups.get(label);
      if (group) group.push(k);
      else groups.set(label, [k]);
    }
    for (const [label, members] of groups) {
      context.fillStyle = css(
        label < 0 ? theme.muted : theme.digits[label % 10],
        only === null || only === label ? opacity : 0.08,
      );
      context.beginPath();
      for (const k of members) {
        const [x, y] = toPixel(positions[2 * k], positions[2 * k + 1]);
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 7);
      }
      context.fill();
    }
  }

  function drawAxes() {
    const zero = toPixel(0, 0);
    polyline(context, [0, zero[1], width, zero[1]], css(theme.rule), 1);
    polyline(context, [zero[0], 0, zero[0], height], css(theme.rule), 1);
    context.fillStyle = css(theme.muted);
    context.font = `11px ${getComputedStyle(el).fontFamily}`;
    context.textAlign = "center";
    for (let x = Math.ceil(left / ticks) * ticks; x < right; x += ticks)
      if (x > left) context.fillText(figure(x, 0), toPixel(x, 0)[0], height - 5);
    context.textAlign = "left";
    for (let y = Math.ceil(bottom / ticks) * ticks; y < top; y += ticks)
      if (y > bottom) context.fillText(figure(y, 0), 5, toPixel(0, y)[1] + 4);
  }

  /** @param {Disc} disc */
  function drawDisc({ at, label = 0, text }) {
    const [x, y] = toPixel(at[0], at[1]);
    context.beginPath();
    context.arc(x, y, text ? 9.5 : 4.5, 0, 7);
    context.fillStyle = css(theme.paper, text ? 0.92 : 0);
    context.fill();
    context.strokeStyle = css(text ? theme.digits[label % 10] : theme.ink);
    context.lineWidth = text ? 2.5 : 1.5;
    context.stroke();
    if (!text) return;
    context.fillStyle = css(theme.ink);
    context.font = `600 12px ${getComputedStyle(el).fontFamily}`;
    context.textAlign = "center";
    context.fillText(text, x, y + 4.2);
  }

  /** @param {number} wide @param {number} high */
  const paint = (wide, high) => {
    [width, height] = [wide, high];
    if (shown.field) drawField(...shown.field);
    for (const { path, label } of shown.areas ?? []) {
      trace(context, toPixels(path));
      context.fillStyle = css(theme.digits[label % 10], 0.22);
      context.fill();
    }
    drawAxes();
    if (shown.contours) drawContours(...shown.contours);
    if (shown.points) drawPoints(shown.points);
    for (const one of shown.paths ?? []) {
      const { path, colour = "ink", line = 1.5 } = Array.isArray(one) ? { path: one } : one;
      polyline(context, toPixels(path), css(theme[colour]), line);
    }
    (shown.discs ?? []).forEach(drawDisc);
  };
  const repaint = keepCrisp(canvas, el, paint, signal);
  const show = (/** @type {typeof shown} */ parts) => {
    Object.assign(shown, parts);
    repaint();
  };

  const cursor = makeCursor({ el, extent, name, axes, step, toCode, onMove, onCancel });
  return {
    el,
    canvas,
    ...cursor, // set, live
    repaint,
    toPixel,
    toCode,
    /** @param {ArrayLike<number> | null} positions @param {ArrayLike<number> | null} labels @param {Dots} dots */
    points: (positions, labels = null, dots = {}) => show({ points: positions && { positions, labels, ...dots } }),
    /** @param {Grid | null} grid @param {Range} range */
    field: (grid, range) => show({ field: grid && [grid, range] }),
    /** @param {Grid | null} grid @param {number[]} levels */
    contours: (grid, levels) => show({ contours: grid && [grid, levels] }),
    areas: (/** @type {Area[] | null} */ areas) => show({ areas }),
    paths: (/** @type {(number[] | Path)[] | null} */ paths) => show({ paths }),
    discs: (/** @type {Disc[] | null} */ discs) => show({ discs }),
  };
}

/**
 * The digits' colours by name, for beside a plane.
 * @param {string[]} names
 */
export function legend(names) {
  /** @param {string} name @param {number} k */
  const item = (name, k) =>
    h("li", {}, h("span", { class: "aae-dot", style: `--dot: var(--aae-digit-${k % 10})` }), name);
  return h("ul", { class: "aae-legend" }, ...names.map(item));
}

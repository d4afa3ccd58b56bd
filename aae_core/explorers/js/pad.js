// A plane to point at: codes as dots in their digits' colours, a field and contours behind them, and a cursor that
// follows the pointer, the finger and the arrow keys. For keyboard and screen reader the cursor is two sliders, one
// per coordinate; all four arrows work in either.
//
//   const plane = pad({ extent: [-4, 4, -4, 4], name: "code", theme, onMove: ([x, y]) => put({ z: [x, y] }), signal });
//   plane.points(codes.frame(0), codes.labels);  plane.set(get("z"));  root.append(plane.el);

import { contour } from "./contour.js";
import { keepCrisp } from "./crisp.js";
import { figure, h, input } from "./dom.js";
import { css } from "./theme.js";

/**
 * `extent` is [left, right, bottom, top] in code units; `name` what a screen reader calls the plane, `axes` its
 * coordinates. `onMove([x, y], done)` runs as the cursor is moved, `done` when the pointer lets go or a key was pressed;
 * without it the plane is a picture only. What is drawn stays until it is replaced; null takes it away:
 *
 *   points(positions, labels?, {only, radius, opacity})  [x0, y0, …]; `only` a label whose dots stand out
 *   field(grid, {low, high})           {width, height, values}, row 0 at the bottom: below the middle the palette's
 *                                      contrast colour, above it the accent, the stronger the farther
 *   contours(grid, levels)             lines of equal value
 *   areas(list)                        {path, label}: areas in their digit's colour, each path [x0, y0, x1, y1, …]
 *   paths(list)                        curves, each [x0, y0, x1, y1, …], or {path, colour}, a colour of the theme
 *   discs(list)                        {at: [x, y], label, text}: discs with a word in them, in their digit's colour;
 *                                      without a text, a ring about a dot
 *   set([x, y])                        the cursor's place;  repaint() after a change of theme
 *   live(on)                           whether the cursor may be moved; it may, where there is `onMove`
 */
export function pad({ extent, name, axes = ["z1", "z2"], step = 0.1, ticks = 2, theme, onMove, signal }) {
  const [left, right, bottom, top] = extent;
  const canvas = h("canvas", { class: "aae-plane", role: "img", "aria-label": name });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const el = h("div", { class: "aae-pad", role: "group", "aria-label": name }, canvas);
  el.style.aspectRatio = `${right - left} / ${top - bottom}`;
  const shown = { points: null, field: null, contours: null, areas: null, paths: null, discs: null };
  let [width, height] = [0, 0]; // of the canvas, in CSS pixels
  const toPixel = (x, y) => [((x - left) / (right - left)) * width, ((top - y) / (top - bottom)) * height];
  const toCode = (px, py) => [left + (px / width) * (right - left), top - (py / height) * (top - bottom)];

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
    small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    const [dx, dy] = [width / (w - 1) / 2, height / (rows - 1) / 2]; // grid points sit on the border, pixels within
    context.drawImage(small, -dx, -dy, width + 2 * dx, height + 2 * dy);
  }

  function stroke(segments, project, colour, line) {
    context.beginPath();
    for (let k = 0; k < segments.length; k += 4) {
      context.moveTo(...project(segments[k], segments[k + 1]));
      context.lineTo(...project(segments[k + 2], segments[k + 3]));
    }
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.stroke();
  }

  function drawPoints({ positions, labels, only = null, radius = 1.7, opacity = 0.7 }) {
    const groups = new Map();
    for (let k = 0; 2 * k < positions.length; k++) {
      const label = labels ? labels[k] : -1;
      if (!groups.has(label)) groups.set(label, []);
      groups.get(label).push(k);
    }
    for (const [label, members] of groups) {
      context.fillStyle = css(label < 0 ? theme.muted : theme.digits[label % 10], only === null || only === label ? opacity : 0.08);
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
    const ends = [0, zero[1], width, zero[1], zero[0], 0, zero[0], height];
    stroke(ends, (x, y) => [x, y], css(theme.rule), 1);
    context.fillStyle = css(theme.muted);
    context.font = `11px ${getComputedStyle(el).fontFamily}`;
    context.textAlign = "center";
    for (let x = Math.ceil(left / ticks) * ticks; x < right; x += ticks)
      if (x > left) context.fillText(figure(x, 0), toPixel(x, 0)[0], height - 5);
    context.textAlign = "left";
    for (let y = Math.ceil(bottom / ticks) * ticks; y < top; y += ticks)
      if (y > bottom) context.fillText(figure(y, 0), 5, toPixel(0, y)[1] + 4);
  }

  function drawDisc({ at, label, text }) {
    const [x, y] = toPixel(...at);
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

  const paint = (...size) => {
    [width, height] = size;
    if (shown.field) drawField(...shown.field);
    for (const { path, label } of shown.areas ?? []) {
      context.beginPath();
      for (let k = 0; k < path.length; k += 2) context.lineTo(...toPixel(path[k], path[k + 1]));
      context.fillStyle = css(theme.digits[label % 10], 0.22);
      context.fill();
    }
    drawAxes();
    if (shown.contours) {
      const [{ width: w, height: rows, values }, levels] = shown.contours;
      const project = (j, i) => [(j / (w - 1)) * width, height - (i / (rows - 1)) * height];
      for (const level of levels) stroke(contour(values, w, rows, level), project, css(theme.muted, 0.6), 1);
    }
    if (shown.points) drawPoints(shown.points);
    for (const one of shown.paths ?? []) {
      const { path, colour } = one.path ? one : { path: one, colour: "ink" };
      context.beginPath();
      for (let k = 0; k < path.length; k += 2) context.lineTo(...toPixel(path[k], path[k + 1]));
      context.strokeStyle = css(theme[colour]);
      context.lineWidth = 1.5;
      context.stroke();
    }
    (shown.discs ?? []).forEach(drawDisc);
  };
  const repaint = keepCrisp(canvas, el, paint, signal);
  const show = (part, value) => {
    shown[part] = value;
    repaint();
  };

  // The cursor.
  let place = [0, 0];
  const limits = [[left, right], [bottom, top]];
  const cursor = h("div", { class: "aae-cursor" });
  const ranges = limits.map(([min, max], k) =>
    input({ type: "range", class: "aae-hidden", min, max, step: "any", "aria-label": `${name}, ${axes[k]}` }),
  );
  const clamp = (code) => code.map((value, k) => Math.max(limits[k][0], Math.min(limits[k][1], value)));
  const set = (code) => {
    place = [...code];
    const [x, y] = clamp(code);
    cursor.style.left = `${(100 * (x - left)) / (right - left)}%`;
    cursor.style.top = `${(100 * (top - y)) / (top - bottom)}%`;
    ranges.forEach((range, k) => {
      range.value = code[k];
      range.setAttribute("aria-valuetext", figure(code[k]));
    });
  };
  const move = (code, done) => {
    set(clamp(code).map((value) => +value.toFixed(3)));
    onMove(place, done);
  };
  const live = (on) => {
    el.classList.toggle("aae-live-pad", on);
    for (const part of [cursor, ...ranges]) part.hidden = !on;
  };
  if (onMove) {
    el.append(cursor, ...ranges);
    live(true);
    const point = (event, done) => {
      const box = el.getBoundingClientRect();
      move(toCode(event.clientX - box.left - el.clientLeft, event.clientY - box.top - el.clientTop), done);
    };
    el.addEventListener("pointerdown", (event) => {
      if (event.button || cursor.hidden) return;
      event.preventDefault();
      el.setPointerCapture(event.pointerId);
      ranges[0].focus({ preventScroll: true });
      point(event, false);
    });
    el.addEventListener("pointermove", (event) => el.hasPointerCapture(event.pointerId) && point(event, false));
    el.addEventListener("pointerup", (event) => el.hasPointerCapture(event.pointerId) && point(event, true));
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    el.addEventListener("keydown", (event) => {
      if (!keys[event.key]) return;
      event.preventDefault();
      const pace = event.shiftKey ? 5 * step : step;
      move(place.map((value, k) => value + pace * keys[event.key][k]), true);
    });
    ranges.forEach((range, k) =>
      range.addEventListener("input", () => move(place.map((value, j) => (j === k ? Number(range.value) : value)), true)),
    );
    set(place);
  }
  return {
    el, canvas, set, live, repaint, toPixel, toCode,
    points: (positions, labels = null, options = {}) => show("points", positions && { positions, labels, ...options }),
    field: (grid, range) => show("field", grid && [grid, range]),
    contours: (grid, levels) => show("contours", grid && [grid, levels]),
    areas: (list) => show("areas", list),
    paths: (list) => show("paths", list),
    discs: (list) => show("discs", list),
  };
}

/** The digits' colours by name, for beside a plane. */
export function legend(names) {
  const item = (name, k) => h("li", {}, h("span", { class: "aae-dot", style: `--dot: var(--aae-digit-${k % 10})` }), name);
  return h("ul", { class: "aae-legend" }, ...names.map(item));
}

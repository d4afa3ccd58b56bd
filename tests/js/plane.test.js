import assert from "node:assert/strict";
import { test } from "node:test";
import { chanceBars, percent } from "../../aae_core/explorers/js/chances.js";
import { look, roundTicks, valueAt } from "../../aae_core/explorers/js/chart.js";
import { contour } from "../../aae_core/explorers/js/contour.js";
import { curve } from "../../aae_core/explorers/js/curve.js";
import { figure } from "../../aae_core/explorers/js/dom.js";
import { simplify, strokesField } from "../../aae_core/explorers/js/ink.js";
import { readCodes, readField, readImages } from "../../aae_core/explorers/js/packed.js";
import { circle, closest, nearest, within } from "../../aae_core/explorers/js/plane.js";
import { makeRegions } from "../../aae_core/explorers/js/regions.js";
import { spread } from "../../aae_core/explorers/js/strip.js";
import { mix } from "../../aae_core/explorers/js/theme.js";
import { spherical } from "../../aae_core/explorers/js/walk.js";
import { setUp } from "./page.js";

const near = (found, wanted, off = 1e-6) =>
  assert.ok(Math.abs(found - wanted) <= off, `${found} is not within ${off} of ${wanted}`);
const text = (array) => Buffer.from(array.buffer).toString("base64");

test("contours of a cone are circles, and a level that nothing passes has none", () => {
  const cone = Float32Array.from({ length: 41 * 41 }, (_, i) => Math.hypot((i % 41) - 20, Math.floor(i / 41) - 20));
  const found = contour(cone, 41, 41, 12.5);
  let length = 0;
  for (let k = 0; k < found.length; k += 4) {
    near(Math.hypot(found[k] - 20, found[k + 1] - 20), 12.5, 0.05);
    length += Math.hypot(found[k] - found[k + 2], found[k + 1] - found[k + 3]);
  }
  near(length / (2 * Math.PI * 12.5), 1, 0.01);
  assert.deepEqual(contour([0, 0, 0, 0], 2, 2, 1), []);
  assert.equal(contour([1, 0, 0, 1], 2, 2, 0.5).length, 8); // a saddle: two lines
});

test("points of the plane: the nearest, how many are near, a circle", () => {
  const points = [0, 0, 3, 0, 0, 2, -1, -1];
  assert.equal(nearest(points, [0, 0], 1), 0);
  assert.equal(nearest(points, [0, 0], 3), 4);
  assert.equal(closest(points, [2, 0.1]), 1);
  assert.equal(closest(points, [2, 0.1], 1), 0);
  assert.equal(within(points, [0, 0], 4), 2); // nearer than, not as near as
  const path = circle([1, 2], 3);
  for (let k = 0; k < path.length; k += 2) near(Math.hypot(path[k] - 1, path[k + 1] - 2), 3);
  near(path[0], path.at(-2));
});

test("a region's places and codes are each other's, within the sliders' ends", () => {
  const spec = {
    centre: [
      [
        [0, 0],
        [2, 0],
      ],
      [
        [0, 5],
        [0, 7],
      ],
    ],
    normal: [
      [
        [0, 1],
        [0, 1],
      ],
      [
        [1, 0],
        [1, 0],
      ],
    ],
  };
  const { at, inside, nearest: near_, outline } = makeRegions({ ...spec, along: [-1, 1], across: [-0.5, 0.5] });
  assert.deepEqual(at(0, [0, 0.5]), [1, 0.5]);
  assert.deepEqual(at(1, [9, 0]), [0, 7]); // beyond the end is the end
  const { place, distance } = inside(0, [1, 3]);
  near(place[0], 0, 0.01);
  near(place[1], 0.5);
  near(distance, 2.5);
  assert.deepEqual([near_([1, 1]), near_([1, 6])], [0, 1]);
  const border = outline(0);
  assert.deepEqual([Math.min(...border), Math.max(...border)], [-0.5, 2]);
});

test("codes, fields and images are read from their texts", () => {
  const codes = readCodes({ count: 1, frames: 2, scale: 0.5, labelled: false }, text(Int16Array.of(2, 4, 6, 8)));
  assert.deepEqual(
    [[...codes.frame(0)], [...codes.frame(0.5)], [...codes.frame(9)]],
    [
      [1, 2],
      [2, 3],
      [3, 4],
    ],
  );
  assert.equal(codes.labels, null);
  const bytes = Uint8Array.of(...new Uint8Array(Int16Array.of(2, 4).buffer), 7);
  assert.deepEqual([...readCodes({ count: 1, frames: 1, scale: 1, labelled: true }, text(bytes)).labels], [7]);
  const field = readField({ width: 2, height: 1, frames: 1, low: -1, high: 1 }, text(Uint16Array.of(0, 65535)));
  assert.deepEqual([...field.frame()], [-1, 1]);
  const shape = [1, 1, 2];
  assert.deepEqual([...readImages({ frames: 1, count: 1, shape }, text(Uint8Array.of(0xf0))).frame(0)], [1, 0]);
  const grey = readImages({ frames: 2, count: 1, shape, bits: 8 }, text(Uint8Array.of(255, 0, 51, 0)));
  near(grey.frame(1)[0], 0.2);
});

test("a curve's values between its points, and round numbers for its axis", () => {
  assert.equal(valueAt([1, 2], [5, 7], 1.5), 6);
  const cubic = (x) => x ** 3 - 2 * x + 1;
  const xs = [0, 1, 2, 3, 5, 6];
  for (const x of [0, 0.4, 2.5, 4.9, 6]) near(valueAt(xs, xs.map(cubic), x), cubic(x), 1e-9);
  near(valueAt([1, 2, 4, 8], [0, 1, 2, 3], 2 ** 1.5, true), 1.5);
  assert.deepEqual(roundTicks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(roundTicks(-431, 268, 5), [-400, -200, 0, 200]);
  assert.deepEqual(roundTicks(0.08, 0.3, 5), [0.1, 0.15, 0.2, 0.25, 0.3]);
  assert.equal(new Set(Array.from({ length: 6 }, (_, k) => JSON.stringify(look(k)))).size, 6);
});

test("numbers as a reader sees them", () => {
  assert.deepEqual([figure(-0.001), figure(-1.234), figure(3, 0)], ["0.00", "\u22121.23", "3"]);
  assert.deepEqual([0, 0.004, 0.126, 0.994, 1].map(percent), ["<1%", "<1%", "13%", "99%", ">99%"]);
  assert.deepEqual(spread(-1, 1, 5), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(spread(-1, 1, 1), [0]);
  assert.deepEqual(mix([0, 100], [10, 0], 0.5), [5, 50]);
});

test("an arc between two codes keeps its ends, and their length on the way", () => {
  assert.deepEqual(spherical([1, 0], [0, 1], 0), [1, 0]);
  const middle = spherical([2, 0], [0, 2], 0.5);
  near(Math.hypot(...middle), 2);
  assert.deepEqual(spherical([1, 1], [3, 3], 0.5), [2, 2]); // on one line, along it
  assert.deepEqual(spherical([0, 0], [2, 0], 0.5), [1, 0]);
});

test("a stroke with fewer points, and its text", () => {
  const line = Array.from({ length: 20 }, (_, k) => [k / 20, 0.5]).flat();
  assert.deepEqual(simplify(line), [0, 0.5, 0.95, 0.5]);
  assert.deepEqual(simplify([0, 0, 0.5, 0.2, 1, 0]), [0, 0, 0.5, 0.2, 1, 0]);
  assert.deepEqual(simplify([0.3, 0.4]), [0.3, 0.4, 0.3, 0.4].slice(0, 2));
  const strokes = [
    [0, 1, 0.5, 0.25],
    [0.123, 0.456],
  ];
  assert.deepEqual(strokesField.read(strokesField.write(strokes)), strokes);
  for (const bad of ["abc", "zzzz", "00.00", "%zz"]) assert.equal(strokesField.read(bad), undefined);
});

test("bars of chances: one stands out, none where there are none", () => {
  setUp();
  const { el, set } = chanceBars(["a", "b"], "Chances");
  const bars = el.children.map((item) => item.children[1]);
  set([0.2, 0.8]);
  assert.deepEqual(
    bars.map((bar) => bar.style["--share"]),
    ["0.2", "0.8"],
  );
  assert.deepEqual(
    el.children.map(({ classes }) => classes.has("aae-best")),
    [false, true],
  );
  set(null);
  assert.deepEqual(
    el.children.map((item) => item.children[2].textContent),
    ["\u2013", "\u2013"],
  );
  assert.ok(el.children.every(({ classes }) => !classes.has("aae-best")));
});

test("a curve draws once a frame, as sharp as the screen, up to its highest point, until its view goes", () => {
  const { resize, frame, observed } = setUp();
  const theme = { rule: [0, 0, 0], accent: [0, 0, 0], muted: [0, 0, 0] };
  const life = new AbortController();
  const { el, add, clear } = curve({ theme, signal: life.signal });
  const drawn = () =>
    el.calls
      .splice(0)
      .filter(([name]) => name === "lineTo")
      .slice(2)
      .map(([, x, y]) => [x, y]); // after the rule
  add(1, 1);
  frame();
  assert.deepEqual(drawn(), []); // it has no size yet
  resize(100, 42);
  assert.deepEqual([el.width, el.height], [200, 84]);
  el.calls.length = 0;
  for (let k = 2; k <= 10; k++) add(k, k);
  frame();
  const places = drawn();
  assert.equal(places.length, 10);
  near(places.at(-1)[0], 100);
  near(places.at(-1)[1], 42 - 1 - 40 / 1.05);
  for (let k = 11; k <= 1000; k++) add(k, k);
  frame();
  assert.ok(drawn().length <= 300);
  clear();
  frame();
  assert.equal(drawn().length, 0);
  life.abort();
  assert.equal(observed.length, 0);
});

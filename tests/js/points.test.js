import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST, readPoints, scaled, textOf, thinned } from "../../aae_core/explorers/js/points.js";
import { inkOf, shrinkAll } from "../../aae_core/explorers/js/shrink.js";

test("two columns are read, however they are parted, with names or without", () => {
  const wanted = [
    [1.5, -2],
    [0.25, 3000],
  ];
  for (const text of [
    "1.5,-2\n.25,3e3",
    "x,y\r\n1.5,-2\r\n0.25,3000\r\n",
    "1,5;-2\n0,25;3000",
    "width;height\n1.5;-2\n0.25;3000",
    "\uFEFFa\tb\n\n1.5\t-2\n  0.25\t3000\n",
    '"x","y"\n"1.5","-2"\n"0.25","3000"',
  ])
    assert.deepEqual(readPoints(text), wanted, text);
});

test("a bad row is named, with what was expected and what came", () => {
  for (const [text, message] of [
    ["", /at least 2 points.*got none/],
    ["x,y", /got none/],
    ["x,y\n1,2", /at least 2 points.*got 1/],
    ["1,2\n3,4,5", /Row 2: expected two columns .* got 3: 3,4,5/],
    ["1 2\n3 4", /Row 1: expected two columns .* got 1/],
    ["x,y\n1,2\n\n3,", /Row 4: expected two numbers, got 3,/],
    ["1,2\n3,cat", /Row 2: expected two numbers, got 3,cat/],
    ["1,y\n3,4", /Row 1: expected two numbers/],
    ["1,2\n1e999,4", /Row 2: expected two numbers/],
    ["1,2\n0x10,4", /Row 2: expected two numbers/],
    [`1,2\n3,${"9".repeat(500)}x`, /Row 2: .{0,80}…$/],
    ["1".repeat(4_000_001), /at most 4,000,000 characters/],
  ])
    assert.throws(() => readPoints(text), { message });
});

test("points fill the square but for a margin, each column by itself", () => {
  const { points, ends } = scaled([
    [-10, 7],
    [10, 7],
    [0, 7],
  ]);
  assert.deepEqual(ends, { low: [-10, 7], high: [10, 7] });
  [0.05, 0.95, 0.5].forEach((x, k) => assert.ok(Math.abs(points[k][0] - x) < 1e-9 && points[k][1] === 0.5));
  assert.deepEqual(
    scaled([
      [-1.7e308, 0],
      [1.7e308, 1],
    ]).points.map(([x]) => +x.toFixed(6)),
    [0.05, 0.95],
  );
});

test("of too many points some are taken, evenly", () => {
  const many = Array.from({ length: 3 * MOST }, (_, k) => [k, k]);
  const some = thinned(many);
  assert.equal(some.length, MOST);
  assert.ok(some.every(([x], k) => x === 3 * k));
  assert.deepEqual(thinned(many.slice(0, 5)), many.slice(0, 5));
});

test("dark on bright and bright on dark are both ink on paper", () => {
  const [side, fine] = [4, 2];
  const rgba = (inside, outside) =>
    Array.from({ length: 64 }, (_, i) => [i % 8, i >> 3].every((k) => k > 1 && k < 6)).flatMap((ink) => {
      const grey = ink ? inside : outside;
      return [grey, grey, grey, 255];
    });
  const wanted = Float32Array.from({ length: 16 }, (_, i) => Number([i % 4, i >> 2].every((k) => k > 0 && k < 3)));
  assert.deepEqual(inkOf(rgba(0, 255), side, fine), wanted);
  assert.deepEqual(inkOf(rgba(255, 0), side, fine), wanted);
  const third = inkOf(rgba(170, 255), side, fine)[5];
  assert.equal(third, Math.fround(85 / 255));
});

test("a file that is longer than any text of points is not opened", async () => {
  const file = (size) => ({ name: "film.csv", size, text: async () => "1,2" });
  assert.equal(await textOf(file(5e6)), "1,2");
  for (const size of [2e7, 5e9]) await assert.rejects(textOf(file(size)), /film\.csv.*4,000,000.*0,000,000 bytes/);
});

test("images are opened one after another, and the first that is none is named", async () => {
  let open = 0;
  const opened = [];
  const one = async (file) => {
    assert.equal(++open, 1);
    await new Promise((next) => setTimeout(next));
    open--;
    opened.push(file.name);
    if (file.name.endsWith(".txt")) throw new Error("no image");
    return Float32Array.of(opened.length);
  };
  const files = (...names) => names.map((name) => ({ name }));
  assert.deepEqual(await shrinkAll(files("a.png", "b.png"), one), [Float32Array.of(1), Float32Array.of(2)]);
  await assert.rejects(shrinkAll(files("c.png", "d.txt", "e.png"), one), /d\.txt: expected an image/);
  assert.deepEqual(opened, ["a.png", "b.png", "c.png", "d.txt"]);
});

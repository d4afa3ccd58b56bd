import assert from "node:assert/strict";
import { test } from "node:test";
import { describePrior, makePrior } from "../../aae_core/explorers/js/priors.js";
import { normal, sampleNormal, seeded } from "../../aae_core/explorers/js/random.js";
import { areStrokes, beads, readStrokes, writeStrokes } from "../../aae_core/explorers/js/strokes.js";
import { makeToy } from "../../aae_core/explorers/js/toys.js";

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const near = (found, wanted, off) =>
  assert.ok(Math.abs(found - wanted) < off, `${found} is not within ${off} of ${wanted}`);

test("chance repeats itself for a seed, and for that alone", () => {
  const run = (seed) => {
    const { uniform, normal: other, below } = seeded(seed);
    return [uniform(), other(), below(10), uniform()];
  };
  assert.deepEqual(run(3), run(3));
  assert.notDeepEqual(run(3), run(4));
});

test("uniform, normal and whole numbers are spread as they should be", () => {
  const { uniform, normal: other, below } = seeded(0);
  const flat = Array.from({ length: 20000 }, uniform);
  assert.ok(Math.min(...flat) >= 0 && Math.max(...flat) < 1);
  near(mean(flat), 0.5, 0.01);
  const round = Array.from({ length: 20000 }, other);
  near(mean(round), 0, 0.03);
  near(mean(round.map((value) => value ** 2)), 1, 0.05);
  near(mean(round.map((value) => Number(Math.abs(value) < 1))), 0.683, 0.015);
  const whole = Array.from({ length: 7000 }, () => below(7));
  assert.deepEqual([...new Set(whole)].sort(), [0, 1, 2, 3, 4, 5, 6]);
  for (let k = 0; k < 7; k++) near(whole.filter((value) => value === k).length, 1000, 150);
});

test("a normal number is finite whatever the uniform one, and a code keeps to the sliders", () => {
  assert.ok(Number.isFinite(normal(() => 0)) && Number.isFinite(normal(() => 1 - 2 ** -53)));
  const codes = Array.from({ length: 200 }, () => sampleNormal(5, 1)).flat();
  assert.ok(codes.every((value) => Math.abs(value) <= 1 && +value.toFixed(2) === value));
  assert.ok(codes.includes(1) && codes.includes(-1));
});

for (const [name, drawing] of [
  ["gaussian", ""],
  ["petals", ""],
  ["roll", ""],
  [
    "drawn",
    writeStrokes([
      [
        [-3, 1],
        [3, 1],
      ],
    ]),
  ],
])
  test(`${name}: contours hold the shares of the prior that they name`, () => {
    const prior = makePrior(name, drawing);
    const points = prior.sample(4000, seeded(1));
    const { grid, levels } = describePrior(prior, seeded(2), 4, 32, [0.9, 0.5]);
    const log = Array.from({ length: 4000 }, (_, k) => Math.log(prior.density(points[2 * k], points[2 * k + 1])));
    levels.forEach((level, k) => near(log.filter((value) => value > level).length / 4000, [0.9, 0.5][k], 0.04));
    assert.equal(grid.values.length, 32 * 32);
    assert.ok(grid.values.every(Number.isFinite));
  });

test("petals lie about their directions, and nothing drawn is a normal prior", () => {
  const points = makePrior("petals").sample(5000, seeded(0));
  const radii = Array.from({ length: 5000 }, (_, k) => Math.hypot(points[2 * k], points[2 * k + 1]));
  near(mean(radii), 1.4, 0.05);
  assert.deepEqual(makePrior("drawn").sample(9, seeded(5)), makePrior("gaussian").sample(9, seeded(5)));
});

test("strokes survive their text", () => {
  const text = writeStrokes([
    [
      [-4, 4],
      [-1, 0.5],
      [-0.95, 0.5],
      [4, -4],
    ],
    [[0, 0]],
  ]);
  assert.equal(text.length, 9); // without the point that is as good as the one before
  const [line, dab] = readStrokes(text);
  [
    [-4, 4],
    [-1, 0.5],
    [4, -4],
  ].forEach(([x, y], k) => {
    near(line[k][0], x, 0.07);
    near(line[k][1], y, 0.07);
  });
  near(Math.hypot(...dab[0]), 0, 0.1);
  const long = writeStrokes([Array.from({ length: 5000 }, (_, k) => [4 * Math.sin(k), 4 * Math.cos(2 * k)])]);
  for (const good of ["", text, long]) assert.ok(areStrokes(good), good);
  for (const bad of ["a", "ab.", "a%", ".ab", "ab..cd", `${long}${long}`]) assert.ok(!areStrokes(bad), bad);
});

test("beads lie evenly along strokes, and a dab counts as a short stroke", () => {
  const found = beads([
    [
      [0, 0],
      [3, 0],
    ],
    [[1, 1]],
  ]);
  for (let k = 0; k < 30; k++) near(found[2 * k], k / 10, 1e-5);
  assert.deepEqual([...found.slice(-10)], Array(10).fill(1));
});

for (const [name, groups] of [
  ["blobs", 3],
  ["moons", 2],
  ["ring", 6],
])
  test(`${name}: always the same points, in groups of one size, within the square`, () => {
    const { x, labels, names, count, width } = makeToy(name, 600);
    assert.deepEqual(x, makeToy(name, 600).x);
    assert.deepEqual([names.length, count, width, x.length], [groups, 600, 2, 1200]);
    for (let k = 0; k < groups; k++) assert.equal(labels.filter((label) => label === k).length, 600 / groups);
    assert.ok(x.every((value) => value > -0.2 && value < 1.2));
  });

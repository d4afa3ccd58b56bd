// What a decoded row of a table says of its columns.

import assert from "node:assert/strict";
import test from "node:test";
import { read } from "../../aae_core/explorers/js/rows.js";

const size = { name: "size", at: 0, gap: 1, low: -3, high: 20 };
const colour = { name: "colour", at: 2, gap: 5, categories: ["blue", "green", "red"] };

test("a number is read in its column's range, a word is the one that gets most", () => {
  const row = Float32Array.of(0.5, 0, 0.1, 0.7, 0.2, 0);
  assert.deepEqual(read(row, size).text, "8.5");
  assert.equal(read(row, colour).text, "green");
  assert.ok(Math.abs(read(row, colour).share - 0.7) < 1e-6);
});

test("a gap is said where the row tells of one, and no other word gets more", () => {
  assert.equal(read(Float32Array.of(0.5, 0.9, 0, 0, 0.1, 0.9), size).text, "missing");
  assert.equal(read(Float32Array.of(0.5, 0.9, 0, 0, 0.1, 0.9), colour).text, "missing");
  assert.equal(read(Float32Array.of(0, 0, 0, 0.6, 0, 0.55), colour).text, "green");
});

test("digits follow the range", () => {
  const narrow = { name: "share", at: 0, gap: null, low: 0, high: 0.02 };
  assert.equal(read(Float32Array.of(0.5), narrow).text, "0.0100");
  const wide = { name: "year", at: 0, gap: null, low: 1900, high: 2020 };
  assert.equal(read(Float32Array.of(0.5), wide).text, "1960");
});

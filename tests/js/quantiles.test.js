import assert from "node:assert/strict";
import { test } from "node:test";
import { above, quantile } from "../../aae_core/explorers/js/quantiles.js";

const steps = [0, 1, 4, 4, 10]; // at 0, 25, 50, 75 and 100 per cent

test("a quantile lies between its neighbours", () => {
  assert.deepEqual(
    [0, 0.125, 0.25, 0.375, 0.625, 1].map((at) => quantile(steps, at)),
    [0, 0.5, 1, 2.5, 4, 10],
  );
  assert.deepEqual([quantile(steps, -1), quantile(steps, 2)], [0, 10]);
});

test("the share above a value is the quantile's other way round", () => {
  assert.deepEqual(
    [-1, 10, 99].map((value) => above(steps, value)),
    [1, 0, 0],
  );
  for (const at of [0, 0.1, 0.3, 0.8, 0.95]) assert.ok(Math.abs(above(steps, quantile(steps, at)) - (1 - at)) < 1e-12);
});

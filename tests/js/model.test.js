import assert from "node:assert/strict";
import { test } from "node:test";
import { alike, makeModel } from "../../aae_core/explorers/host/model.js";

const made = (values) => makeModel(values, { get_model: async () => null });

test("what is alike, whoever made it", () => {
  const bytes = (...list) => new DataView(Uint8Array.from(list).buffer);
  for (const [a, b] of [
    [1, 1],
    [Number.NaN, Number.NaN],
    [
      [1, [2]],
      [1, [2]],
    ],
    [{ a: [1] }, { a: [1] }],
    [null, null],
    [bytes(1, 2), bytes(1, 2)],
  ])
    assert.ok(alike(a, b), JSON.stringify([a, b]));
  for (const [a, b] of [
    [1, "1"],
    [[1], [2]],
    [[1], [1, 2]],
    [{ a: 1 }, { b: 1 }],
    [[], {}],
    [null, {}],
    [0, null],
    [bytes(1), bytes(2)],
    [{ a: undefined }, { b: undefined }],
  ])
    assert.ok(!alike(a, b), JSON.stringify([a, b]));
});

test("a trait that is set to what it is does not change", () => {
  const model = made({ z: [0, 0], label: null });
  const heard = [];
  model.on("change:z change:label change", () => heard.push([...model.get("z")]));
  model.set("z", [0, 0]);
  model.set({ label: null });
  assert.deepEqual(heard, []);
  model.set({ z: [1, 0], label: 3 });
  assert.deepEqual(heard, [
    [1, 0],
    [1, 0],
    [1, 0],
  ]);
});

test("all traits of one call are set before anybody hears of one", () => {
  const model = made({ a: 0, b: 0 });
  let seen = null;
  model.on("change:a", (_, value) => (seen = [value, model.get("b")]));
  model.set({ a: 1, b: 2 });
  assert.deepEqual(seen, [1, 2]);
});

test("who has left hears nothing", () => {
  const model = made({ a: 0 });
  let [first, second] = [0, 0];
  const one = () => (first += 1);
  model.on("change:a", one);
  model.on("change:a", () => (second += 1));
  model.off("change:a", one);
  model.set("a", 1);
  assert.deepEqual([first, second], [0, 1]);
  model.off("change:a");
  model.set("a", 2);
  model.on("change:a", one);
  model.off();
  model.set("a", 3);
  assert.deepEqual([first, second], [0, 1]);
});

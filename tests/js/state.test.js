import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { makeModel } from "../../aae_core/explorers/host/model.js";
import { among, between, index, numbers, shareState, whole } from "../../aae_core/explorers/js/state.js";

test("fields read what they write, and refuse what is none", () => {
  const cases = [
    [numbers(2), [[1.25, -3]], ["1", "1,2,3", "a,b", "1,,", "Infinity,0", ""]],
    [whole(0, 9), [null, 0, 9], ["10", "-1", "1.5", "x"]],
    [index(0, 9), [0, 9], ["", "10", "x"]],
    [among(["a", "b"]), ["a"], ["c", ""]],
    [between(0.1, 5), [0.1, 0.0003 + 1, 5], ["", " ", "0", "5.1", "x"]],
    [between(0, 1, 2), [0.25, 0, 1], ["1.1"]],
  ];
  for (const [field, good, bad] of cases) {
    for (const value of good) assert.deepEqual(field.read(field.write(value)), value);
    for (const text of bad) assert.equal(field.read(text), undefined, text);
  }
  assert.equal(numbers(2).write([0.126, -1e-9]), "0.13,0");
  assert.equal(between(0, 1, 2).write(0.126), "0.13");
});

const FIELDS = { z: { trait: "z", ...numbers(2) }, digit: { trait: "label", ...whole(0, 9) } };
const model = (name = "style") => {
  const made = makeModel({ name, z: [0, 0], label: null }, { get_model: async () => null });
  return made;
};
let life;

function open(hash, body = { dataset: {}, classList: { contains: () => false } }) {
  const window = new EventTarget();
  Object.assign(window, { setTimeout, top: 0, self: 0 });
  const base = "https://book.example/page.html";
  const location = {
    hash,
    get href() {
      return base + this.hash;
    },
  };
  const replaceState = (_state, _title, url) => (location.hash = url.slice(base.length));
  Object.assign(globalThis, { window, location, history: { state: null, replaceState }, document: { body } });
  globalThis.addEventListener = window.addEventListener.bind(window);
  life = new AbortController();
  const go = (to) => {
    location.hash = to;
    window.dispatchEvent(new Event("hashchange"));
  };
  return { location, go };
}

beforeEach(() => mock.timers.reset());

test("the address holds what differs from the start, a moment later", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { location } = open("#heading&other.z=1,1");
  const one = model();
  const { link, restored } = shareState(one, FIELDS, life.signal);
  assert.equal(restored, false);
  one.set({ z: [1, 2] });
  one.set({ z: [1, 2.5], label: 3 });
  assert.equal(location.hash, "#heading&other.z=1,1");
  mock.timers.tick(300);
  assert.equal(location.hash, "#heading&other.z=1,1&style.z=1,2.5&style.digit=3");
  assert.equal(link(), "https://book.example/page.html#style.z=1,2.5&style.digit=3");
  one.set({ z: [0, 0], label: null });
  mock.timers.tick(300);
  assert.equal(location.hash, "#heading&other.z=1,1");
});

test("an address sets the state, and what is broken in it is ignored", () => {
  for (const [hash, z, label] of [
    ["#style.z=1,2&style.digit=3", [1, 2], 3],
    ["#style.z=1%2c2", [1, 2], null],
    ["#style.z=1&style.digit=4", [0, 0], 4],
    ["#style.z=%zz", [0, 0], null],
    ["#styles.z=1,2", [0, 0], null],
  ]) {
    open(hash);
    const one = model();
    shareState(one, FIELDS, life.signal);
    assert.deepEqual([one.get("z"), one.get("label")], [z, label], hash);
  }
});

test("going to a heading leaves it as it is, going back to no anchor begins anew", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { location, go } = open("#style.digit=3");
  const one = model();
  assert.equal(shareState(one, FIELDS, life.signal).restored, true);
  go("#heading");
  assert.equal(one.get("label"), 3);
  mock.timers.tick(300);
  assert.equal(location.hash, "#heading&style.digit=3");
  go("");
  assert.equal(one.get("label"), null);
});

test("an address that somebody changed without a word is first left, then has the state again", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { location } = open("#style.digit=3");
  const one = model();
  shareState(one, FIELDS, life.signal);
  location.hash = ""; // as history.replaceState does: no event follows
  one.set({ label: 4 });
  mock.timers.tick(300);
  assert.equal(location.hash, "");
  mock.timers.tick(300);
  assert.equal(location.hash, "#style.digit=4");
});

test("two of one name keep apart, and one that is gone hears nothing", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { location, go } = open("");
  const [one, two] = [model(), model()];
  for (const each of [one, two]) shareState(each, FIELDS, life.signal);
  two.set({ label: 5 });
  mock.timers.tick(300);
  assert.equal(location.hash, "#style-2.digit=5");
  go("#style.digit=1&style-2.digit=2");
  assert.deepEqual([one.get("label"), two.get("label")], [1, 2]);
  life.abort();
  go("#style.digit=7");
  assert.equal(one.get("label"), 1);
  assert.equal([...one.listeners.values()].flat().length, 0);
});

test("in a notebook the address belongs to others", () => {
  open("#style.digit=3", { dataset: { jpThemeLight: "true" }, classList: { contains: () => false } });
  const one = model();
  assert.equal(shareState(one, FIELDS, life.signal), null);
  assert.equal(one.get("label"), null);
});

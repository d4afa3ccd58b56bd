import assert from "node:assert/strict";
import { test } from "node:test";
import { adversarialAutoencoder, PHASES, slicedDistance } from "../../aae_core/explorers/js/aae.js";
import { makeDecoder, makeMLP } from "../../aae_core/explorers/js/decoder.js";
import { makeEncoder } from "../../aae_core/explorers/js/encoder.js";
import { bench } from "../../aae_core/explorers/js/laboratory_bench.js";
import { network, sigmoid, softplus } from "../../aae_core/explorers/js/network.js";
import { makePrior } from "../../aae_core/explorers/js/priors.js";
import { byVectors, linear } from "../../aae_core/explorers/js/product.js";
import { seeded } from "../../aae_core/explorers/js/random.js";
import { makeToy } from "../../aae_core/explorers/js/toys.js";

const near = (found, wanted, off) =>
  assert.ok(Math.abs(found - wanted) <= off, `${found} is not within ${off} of ${wanted}`);
const randoms = (n, chance) => Float32Array.from({ length: n }, chance.normal);
const packed = (...numbers) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
const SETTINGS = { rate: 1e-3, adversaryRate: 3e-3, weight: 0.05, penalty: 0.03 };

test("a linear layer is the sum that it stands for, however many rows and columns", () => {
  const chance = seeded(0);
  for (const [n, m, batch] of [
    [3, 2, 5],
    [4, 1, 7],
    [7, 5, 11],
    [1, 1, 1],
    [2, 6, 4],
  ]) {
    const [W, b, x] = [randoms(n * m, chance), randoms(m, chance), randoms(batch * n, chance)];
    const y = new Float32Array(batch * m);
    linear({ n, m, W, b }, x, batch, y);
    for (let s = 0; s < batch; s++)
      for (let o = 0; o < m; o++) {
        let sum = b[o];
        for (let i = 0; i < n; i++) sum += W[o * n + i] * x[s * n + i];
        near(y[s * m + o], sum, 1e-5);
      }
  }
});

test("products by vectors are those of plain loops, of any widths and as many rows as come, one after another", () => {
  const chance = seeded(1);
  const sizes = [3, 9, 1, 16, 31, 8];
  const layers = sizes
    .slice(1)
    .map((m, k) => ({ n: sizes[k], m, W: randoms(m * sizes[k], chance), b: randoms(m, chance) }));
  const maps = byVectors(layers);
  for (const batch of [1, 2, 4, 5, 11, 3, 700, 1])
    layers.forEach((layer, k) => {
      const x = randoms(batch * layer.n, chance);
      const plain = new Float32Array(batch * layer.m);
      linear(layer, x, batch, plain);
      const found = maps[k](x, batch);
      assert.equal(found.length, plain.length);
      plain.forEach((value, i) => near(found[i], value, 1e-4));
    });
});

test("where WebAssembly cannot be had, a network computes the same by plain loops", () => {
  const chance = seeded(2);
  const about = { ...spec, sizes: [5, 9, 3], activations: ["relu", "identity"] };
  const text = packed(...randoms(9 * 6 + 3 * 10, chance));
  const x = randoms(6 * 5, chance);
  const whole = globalThis.WebAssembly;
  const found = makeMLP(about, text).run(x, 6);
  for (const none of [undefined, { Module: class {}, Instance: whole.Instance }]) {
    globalThis.WebAssembly = none;
    try {
      assert.throws(() => byVectors([]));
      makeMLP(about, text)
        .run(x, 6)
        .forEach((value, i) => near(value, found[i], 1e-5));
    } finally {
      globalThis.WebAssembly = whole;
    }
  }
});

const spec = {
  sizes: [1, 1],
  precision: "float32",
  code_dim: 1,
  n_classes: 0,
  image_shape: [1, 1, 1],
  pixel_range: [0, 1],
};

test("each activation is what its name says; an unknown one and weights that do not fit are refused", () => {
  const at = (activation, x) =>
    makeMLP({ ...spec, activations: [activation] }, packed(1, 0)).run(Float32Array.of(x), 1)[0];
  assert.deepEqual(
    ["identity", "relu", { name: "leaky_relu", slope: 0.5 }].map((one) => at(one, -2)),
    [-2, 0, -1],
  );
  near(at("tanh", -2), Math.tanh(-2), 1e-6);
  near(at("sigmoid", -2), sigmoid(-2), 1e-6);
  assert.throws(() => at("step", 1), /unknown activation.*step/);
  assert.throws(() => makeMLP({ ...spec, activations: ["relu"] }, packed(1, 0, 3)), /expected 2 weights, got 3/);
});

test("what is no weights is refused, and not drawn", () => {
  const made = (precision, text) => () => makeMLP({ ...spec, precision, activations: ["identity"] }, text);
  const whole = `AB${"A".repeat(2)}${packed(1, 0)}`; // a digit of each half, filled up to four, scale and bias
  assert.equal(made("int12", whole)().run(Float32Array.of(1), 1).length, 1);
  for (const digits of ["<B", "A ", "Aé", "-B"])
    assert.throws(made("int12", digits + whole.slice(2)), /damaged/, digits);
  for (const wrong of [NaN, Infinity, -Infinity]) {
    assert.throws(made("float32", packed(wrong, 0)), /damaged/);
    assert.throws(made("int12", `ABAA${packed(1, wrong)}`), /damaged/);
  }
  assert.throws(made("float16", Buffer.from(Uint16Array.of(0, 0x7e00).buffer).toString("base64")), /damaged/);
});

test("a decoder takes a label, and gives pixels between black and white", () => {
  const labelled = { ...spec, sizes: [3, 1], activations: ["identity"], n_classes: 2, pixel_range: [-1, 1] };
  const { decode, pixels } = makeDecoder(labelled, packed(0.5, 0.25, -0.5, 0));
  assert.equal(pixels, 1);
  assert.deepEqual([...decode([[1], [1]], [0, 1])], [(0.75 + 1) / 2, 0.5]);
});

test("an encoder gives chances that sum to one beside its code, or the code alone", () => {
  const both = { ...spec, sizes: [1, 3], activations: ["identity"], n_logits: 2 };
  const { code, chances } = makeEncoder(both, packed(1000, -1000, 2, 0, 0, 1))(Float32Array.of(1));
  assert.deepEqual([code, chances], [[3], [1, 0]]);
  assert.equal(makeEncoder({ ...both, n_logits: 0 }, packed(1, 1, 1, 0, 0, 0))(Float32Array.of(1)).chances, null);
});

test("softplus and its slope hold where the exponential does not", () => {
  for (const x of [-800, -3, 0, 2, 800]) assert.ok(Number.isFinite(softplus(x)) && softplus(x) >= Math.max(0, x));
  near((softplus(0.3 + 1e-4) - softplus(0.3 - 1e-4)) / 2e-4, sigmoid(0.3), 1e-6);
});

for (const squash of [true, false])
  test(`derivatives are the slopes of the loss, ${squash ? "with" : "without"} a sigmoid at the end`, () => {
    const chance = seeded(1);
    const net = network([3, 8, 2], chance, { squash });
    const [x, weight] = [randoms(12, chance), randoms(8, chance)];
    const loss = () => net.forward(x, 4).y.reduce((sum, value, i) => sum + value * weight[i], 0);
    const inputs = net.backward(net.forward(x, 4), weight, { input: true });
    const slope = (array, i, step = 1e-2) => {
      const kept = array[i];
      array[i] = kept + step;
      const above = loss();
      array[i] = kept - step;
      const below = loss();
      array[i] = kept;
      return (above - below) / (2 * step);
    };
    for (let i = 0; i < net.weights.length; i += 3) near(net.gradient[i], slope(net.weights, i), 5e-3);
    for (let i = 0; i < x.length; i++) near(inputs[i], slope(x, i), 5e-3);
  });

test("descent clears the gradient, and goes down", () => {
  const net = network([1, 1], seeded(0));
  const loss = () => (net.forward(Float32Array.of(1), 1).y[0] - 5) ** 2;
  const before = loss();
  for (let k = 0; k < 200; k++) {
    const pass = net.forward(Float32Array.of(1), 1);
    net.backward(pass, Float32Array.of(2 * (pass.y[0] - 5)));
    net.descend(0.05);
    assert.ok(net.gradient.every((value) => value === 0));
  }
  assert.ok(loss() < 0.05 * before);
});

test("each phase moves its own networks alone", () => {
  const prior = makePrior("gaussian");
  const model = adversarialAutoencoder(makeToy("moons"), () => prior, SETTINGS, seeded(0));
  const snapshot = () => Object.values(model.networks).map(({ weights }) => weights.join());
  const moved = PHASES.map((phase) => {
    const before = snapshot();
    assert.deepEqual(Object.keys(model.step([phase])), [phase]);
    return snapshot().map((after, k) => after !== before[k]);
  });
  assert.deepEqual(moved, [
    [true, true, false],
    [false, false, true],
    [true, false, false],
  ]);
});

test("the sliced distance is none to itself, and that of a shift is what its shadow is on the mean", () => {
  const points = randoms(400, seeded(0));
  assert.equal(slicedDistance(points, points), 0);
  near(
    slicedDistance(
      points,
      points.map((value, k) => value + (k % 2 ? 0 : 3)),
    ),
    (3 * 2) / Math.PI,
    0.01,
  );
});

test("a bench shows a run from its first weights on, in the same steps for the same seed", async () => {
  const data = makeToy("moons", 60);
  const begin = { data, settings: { ...SETTINGS, prior: "gaussian", drawing: "" }, seed: 3, shown: [0, 1] };
  const pictures = [];
  let heard = () => {};
  const take = bench((picture) => heard(pictures.push(picture)));
  const next = (message) =>
    new Promise((done) => {
      heard = done;
      take(message);
    });
  const run = async (number) => {
    await next({ ...begin, begin: number });
    await next({ steps: 3 });
    return pictures.at(-1);
  };
  const [first, second] = [await run(1), await run(2)];
  assert.deepEqual(
    pictures.map(({ run: one, step }) => [one, step]),
    [
      [1, 0],
      [1, 3],
      [2, 0],
      [2, 3],
    ],
  );
  assert.deepEqual(Object.keys(first.losses).sort(), [...PHASES].sort());
  assert.deepEqual(first.losses, second.losses);
  assert.deepEqual(pictures[0].losses, {});
  const before = pictures.at(-1).distance;
  await next({ settings: { ...begin.settings, prior: "roll" } }); // at once: the prior is seen without a step
  assert.notEqual(pictures.at(-1).distance, before);
  await next({ settings: { ...begin.settings, prior: "roll", rate: 1e30 }, steps: 5 });
  assert.ok(pictures.at(-1).broken && !pictures.at(-1).playing);
});

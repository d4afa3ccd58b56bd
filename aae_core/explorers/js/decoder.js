// Multilayer perceptrons in the reader's browser, as aae_core/packed.py has them. Their products are half a kilobyte of
// WebAssembly (product.js), or plain JavaScript where there is none: for networks of this size either fits a frame, and costs no
// megabytes of runtime.

import { byChannel, lay } from "./patches.js";
import { products } from "./product.js";

/** @typedef {"int12" | "float16" | "float32"} Precision */
/** @typedef {string | { name: string, slope: number }} Activation */
/** @typedef {{ sizes: number[], activations: Activation[], precision: Precision }} Packed */
/** @typedef {{ linear: Packed, activation: Activation, height: number | null, width: number | null, bias: number[] }} Stage */
/** @typedef {[number, number, number]} Shape [C, H, W] of an image */
/** @typedef {{ code_dim: number, n_classes: number, image_shape: Shape, pixel_range: [number, number], as_is?: boolean }} Images */

/**
 * Base64 text -> DataView.
 * @param {string} text
 */
export function bytes(text) {
  if (Uint8Array.fromBase64) return new DataView(Uint8Array.fromBase64(text).buffer);
  const binary = atob(text);
  const array = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) array[i] = binary.charCodeAt(i);
  return new DataView(array.buffer);
}

/**
 * Little-endian float16 -> Float32Array, through a table of the powers of two.
 * @param {DataView} view
 */
function fromHalf(view) {
  const out = new Float32Array(view.byteLength >> 1);
  const power = Float32Array.from({ length: 32 }, (_, e) => (e < 31 ? 2 ** (e - 25) : NaN)); // 31 is of what is not finite
  for (let i = 0; i < out.length; i++) {
    const half = view.getUint16(2 * i, true);
    const exponent = (half >> 10) & 31;
    const mantissa = half & 1023;
    const value = exponent ? (1024 + mantissa) * power[exponent] : mantissa * 2 ** -24;
    out[i] = half & 0x8000 ? -value : value;
  }
  return out;
}

/** @param {DataView} view */
function fromSingle(view) {
  return Float32Array.from({ length: view.byteLength >> 2 }, (_, i) => view.getFloat32(4 * i, true));
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"; // of base64, 0 to 63

/**
 * Integers of twelve bits, two digits of base64 each, with a scale per row -> Float32Array: layer by layer, W and b.
 * @param {string} text
 * @param {number[]} sizes
 */
function fromInt12(text, sizes) {
  const digit = new Float32Array(256).fill(NaN); // what is no digit is no number
  for (let k = 0; k < 64; k++) digit[DIGITS.charCodeAt(k)] = k;
  const layers = sizes.slice(1).map((m, k) => [sizes[k], m]);
  const count = layers.reduce((sum, [n, m]) => sum + n * m, 0);
  const digits = new TextEncoder().encode(text.slice(0, 2 * count)); // of so many, an array is read sooner than a text
  const floats = fromSingle(bytes(text.slice(4 * Math.ceil(count / 2))));
  const out = new Float32Array(count + floats.length / 2);
  let at = 0,
    row = 0,
    to = 0;
  for (const [n, m] of layers) {
    for (let o = 0; o < m; o++) {
      const scale = floats[row + o];
      for (let i = 0; i < n; i++, at++) {
        out[to++] = scale * (64 * digit[digits[at]] + digit[digits[count + at]] - 2048);
      }
    }
    out.set(floats.subarray(row + m, row + 2 * m), to);
    to += m;
    row += 2 * m;
  }
  return out;
}

/**
 * A packed network's numbers, layer by layer W and b, of {sizes, precision} and a text; throws where one is not finite.
 * @param {{ sizes: number[], precision: Precision }} spec
 * @param {string} text
 */
export function readWeights({ sizes, precision }, text) {
  const fromBytes = precision === "float32" ? fromSingle : fromHalf;
  const numbers = precision === "int12" ? fromInt12(text, sizes) : fromBytes(bytes(text));
  let sum = 0; // no number, once there is one that is not finite
  for (let i = 0; i < numbers.length; i++) sum += 0 * numbers[i];
  if (sum !== 0) throw new Error("the weights are damaged: some are no finite numbers");
  return numbers;
}

/** @param {Float32Array} y @param {Activation} activation */
function activate(y, activation) {
  const n = y.length;
  const { name, slope } = typeof activation === "string" ? { name: activation, slope: 0 } : activation;
  switch (name) {
    case "identity":
      return;
    case "relu":
      for (let i = 0; i < n; i++) if (y[i] < 0) y[i] = 0;
      return;
    case "leaky_relu":
      for (let i = 0; i < n; i++) if (y[i] < 0) y[i] *= slope;
      return;
    case "tanh":
      for (let i = 0; i < n; i++) y[i] = Math.tanh(y[i]);
      return;
    case "sigmoid":
      for (let i = 0; i < n; i++) y[i] = 1 / (1 + Math.exp(-y[i]));
      return;
    default:
      throw new Error(`unknown activation ${JSON.stringify(activation)}`);
  }
}

/**
 * A packed network. `spec` is {sizes, activations, precision}, `text` its weights.
 * `run(x, batch)` takes a Float32Array [batch, sizes[0]] and returns a new one [batch, sizes.at(-1)].
 * @param {Packed} spec
 * @param {string} text
 */
export function makeMLP({ sizes, activations, precision }, text) {
  const numbers = readWeights({ sizes, precision }, text);
  let at = 0;
  /** @param {number} count */
  const take = (count) => numbers.subarray(at, (at += count));
  const layers = activations.map((_, k) => {
    const [n, m] = [sizes[k], sizes[k + 1]];
    return { n, m, W: take(n * m), b: take(m) };
  });
  if (at !== numbers.length) throw new Error(`expected ${at} weights, got ${numbers.length}`);
  const maps = products(layers);
  /** @param {Float32Array} x @param {number} batch */
  const run = (x, batch) => {
    maps.forEach((map, k) => {
      x = map(x, batch);
      activate(x, activations[k]);
    });
    return x;
  };
  return { sizes, run };
}

/**
 * A packed convolutional decoder, as aae_core/export_convolutions.py has it: `text` are the stages' weights, with spaces between.
 * `run(x, batch)` takes a Float32Array [batch, in] and returns [batch, C*H*W].
 * @param {{ stages: Stage[] }} spec
 * @param {string} text
 */
function makeConvolutions({ stages }, text) {
  const layers = text.split(" ").map((weights, k) => ({ ...stages[k], ...makeMLP(stages[k].linear, weights) }));
  /** @param {Float32Array} x @param {number} batch */
  const run = (x, batch) => {
    for (const { run: map, sizes, height, width, bias, activation } of layers) {
      const y = map(x, x.length / sizes[0]);
      x = height && width ? lay(y, batch, { height, width, bias }) : y;
      activate(x, activation);
    }
    return byChannel(x, batch, layers[layers.length - 1].bias.length);
  };
  return { run };
}

/**
 * A decoder of codes, and of labels where the network takes one. `spec` is what Explorer's `decoder` trait holds:
 * the packed network's, or the stages of a convolutional one, and code_dim, n_classes, image_shape [C, H, W], pixel_range [black, white].
 * `decode(codes, labels)` takes a list of n codes and, if n_classes, n labels; returns pixels in [0, 1], [n, C*H*W].
 * @param {(Packed | { stages: Stage[] }) & Images} spec
 * @param {string} text
 */
export function makeDecoder(spec, text) {
  const {
    code_dim: d,
    n_classes: classes,
    image_shape: [channels, height, width],
    pixel_range: [low, high],
    as_is: inGreys = false,
  } = spec;
  /** @type {Shape} */
  const shape = [inGreys ? 3 : channels, height, width]; // colours that are greys are drawn as they are, and not as ink
  const { run } = "stages" in spec ? makeConvolutions(spec, text) : makeMLP(spec, text);
  /** @param {number[][]} codes @param {number[]} [labels] */
  const decode = (codes, labels) => {
    const width = d + classes;
    const x = new Float32Array(codes.length * width);
    codes.forEach((code, i) => {
      x.set(code, i * width);
      if (classes && labels) x[i * width + d + labels[i]] = 1;
    });
    const y = run(x, codes.length);
    if (low !== 0 || high !== 1) for (let i = 0; i < y.length; i++) y[i] = (y[i] - low) / (high - low);
    if (!inGreys) return y;
    const plane = height * width;
    const out = new Float32Array(3 * y.length);
    for (let i = 0; i < out.length; i++) out[i] = y[Math.floor(i / (3 * plane)) * plane + (i % plane)];
    return out;
  };
  return { codeDim: d, classes, shape, pixels: shape[0] * shape[1] * shape[2], decode };
}

// Multilayer perceptrons in the reader's browser, as aae_core/packed.py has them. Plain JavaScript: for networks
// of this size it fits a frame (18-512-512-784, ten images: 3 ms), and costs no megabytes of runtime.

import { byChannel, lay } from "./patches.js";

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
  const digit = new Float32Array(128).fill(NaN); // what is no digit is no number
  for (let k = 0; k < 64; k++) digit[DIGITS.charCodeAt(k)] = k;
  const layers = sizes.slice(1).map((m, k) => [sizes[k], m]);
  const count = layers.reduce((sum, [n, m]) => sum + n * m, 0);
  const floats = fromSingle(bytes(text.slice(4 * Math.ceil(count / 2))));
  const out = new Float32Array(count + floats.length / 2);
  let at = 0,
    row = 0,
    to = 0;
  for (const [n, m] of layers) {
    for (let o = 0; o < m; o++) {
      const scale = floats[row + o];
      for (let i = 0; i < n; i++, at++) {
        out[to++] = scale * (64 * digit[text.charCodeAt(at)] + digit[text.charCodeAt(count + at)] - 2048);
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
  if (!numbers.every(Number.isFinite)) throw new Error("the weights are damaged: some are no finite numbers");
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
 * y[batch, m] = x[batch, n] W^T + b, in blocks of 5 samples by 2 outputs: each number loaded serves several times.
 * @param {{ n: number, m: number, W: Float32Array, b: Float32Array }} layer
 * @param {Float32Array} x
 * @param {number} batch
 * @param {Float32Array} y
 */
export function linear({ n, m, W, b }, x, batch, y) {
  let s = 0;
  for (; s + 5 <= batch; s += 5) {
    const p0 = s * n,
      p1 = p0 + n,
      p2 = p1 + n,
      p3 = p2 + n,
      p4 = p3 + n;
    for (let o = 0; o < m; o += 2) {
      const last = o + 1 === m; // an odd layer computes its last row twice, and keeps one
      const r = o * n,
        t = last ? r : r + n;
      let a0 = b[o],
        a1 = a0,
        a2 = a0,
        a3 = a0,
        a4 = a0;
      let c0 = b[last ? o : o + 1],
        c1 = c0,
        c2 = c0,
        c3 = c0,
        c4 = c0;
      for (let i = 0; i < n; i++) {
        const v = W[r + i],
          u = W[t + i];
        let f = x[p0 + i];
        a0 += v * f;
        c0 += u * f;
        f = x[p1 + i];
        a1 += v * f;
        c1 += u * f;
        f = x[p2 + i];
        a2 += v * f;
        c2 += u * f;
        f = x[p3 + i];
        a3 += v * f;
        c3 += u * f;
        f = x[p4 + i];
        a4 += v * f;
        c4 += u * f;
      }
      const q = s * m + o;
      y[q] = a0;
      y[q + m] = a1;
      y[q + 2 * m] = a2;
      y[q + 3 * m] = a3;
      y[q + 4 * m] = a4;
      if (last) continue;
      y[q + 1] = c0;
      y[q + m + 1] = c1;
      y[q + 2 * m + 1] = c2;
      y[q + 3 * m + 1] = c3;
      y[q + 4 * m + 1] = c4;
    }
  }
  for (; s < batch; s++) {
    const p = s * n;
    for (let o = 0; o < m; o += 4) {
      const r0 = o * n,
        r1 = Math.min(o + 1, m - 1) * n,
        r2 = Math.min(o + 2, m - 1) * n,
        r3 = Math.min(o + 3, m - 1) * n;
      let a0 = 0,
        a1 = 0,
        a2 = 0,
        a3 = 0;
      for (let i = 0; i < n; i++) {
        const f = x[p + i];
        a0 += W[r0 + i] * f;
        a1 += W[r1 + i] * f;
        a2 += W[r2 + i] * f;
        a3 += W[r3 + i] * f;
      }
      const sums = [a0, a1, a2, a3];
      for (let k = 0; k < 4 && o + k < m; k++) y[s * m + o + k] = sums[k] + b[o + k];
    }
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
  const layers = activations.map((activation, k) => {
    const [n, m] = [sizes[k], sizes[k + 1]];
    return { n, m, W: take(n * m), b: take(m), activation };
  });
  if (at !== numbers.length) throw new Error(`expected ${at} weights, got ${numbers.length}`);
  /** @param {Float32Array} x @param {number} batch */
  const run = (x, batch) => {
    for (const layer of layers) {
      const y = new Float32Array(batch * layer.m);
      linear(layer, x, batch, y);
      activate(y, layer.activation);
      x = y;
    }
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

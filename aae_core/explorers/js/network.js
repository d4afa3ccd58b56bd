// Multilayer perceptrons that learn: forward, backward, Adam. Everything that costs time is one matrix product,
// one `linear` of product.js; a derivative is the same product with a matrix turned over.

import { linear } from "./product.js";

/** @import { Chance } from "./random.js" */
/** @typedef {{ y: Float32Array, n: number, inputs: Float32Array[] }} Pass */
/** @typedef {{ n: number, m: number, W: Float32Array, b: Float32Array, dW: Float32Array, db: Float32Array }} Layer */
/** @typedef {ReturnType<typeof network>} Network */

/**
 * The matrix x, `rows` by `columns`, with its rows as columns.
 * @param {Float32Array} x
 * @param {number} rows
 * @param {number} columns
 */
function turned(x, rows, columns) {
  const y = new Float32Array(x.length);
  for (let r = 0, k = 0; r < rows; r++) for (let c = 0; c < columns; c++) y[c * rows + r] = x[k++];
  return y;
}

/**
 * x[batch, n] W^T for W[m, n], a new array.
 * @param {Float32Array} x
 * @param {number} batch
 * @param {Float32Array} W
 * @param {number} n
 * @param {number} m
 */
function times(x, batch, W, n, m) {
  const y = new Float32Array(batch * m);
  linear({ n, m, W, b: new Float32Array(m) }, x, batch, y);
  return y;
}

/**
 * Zeroes `x` wherever the rectifier that gave `y` was shut.
 * @param {Float32Array} x
 * @param {Float32Array} y
 */
function gate(x, y) {
  for (let i = 0; i < x.length; i++) if (!(y[i] > 0)) x[i] = 0;
  return x;
}

/**
 * log(1 + e^x), whose slope is `sigmoid`.
 * @param {number} x
 */
export const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** @param {number} x */
export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/**
 * Linear layers of widths `sizes` with rectifiers between them, and a sigmoid at the end if asked for. The weights lie
 * in one array: for each layer its matrix [out, in], then its bias. They begin as PyTorch's do, uniform within
 * ±1/√(inputs), from `chance` (random.js).
 *
 *   forward(x, n)             {y, n, inputs}: the outputs for n rows, and what `backward` needs
 *   backward(pass, dy, want)  adds a loss's derivatives by the weights to `gradient` (unless want.weights is false);
 *                             returns those by x, if want.input asks for them; `dy` are those by the outputs
 *   steep(pass, share)        for one output and no sigmoid: adds the derivatives of share · Σ‖∇ₓ y‖² over the rows to
 *                             `gradient`, and returns that number
 *   descend(rate)             one step of Adam down `gradient`, which it clears
 * @param {number[]} sizes
 * @param {Pick<Chance, "uniform">} chance
 * @param {{ squash?: boolean, betas?: [number, number], epsilon?: number }} options
 */
export function network(sizes, chance, { squash = false, betas = [0.5, 0.999], epsilon = 1e-8 } = {}) {
  const last = sizes.length - 2;
  const count = sizes.slice(1).reduce((sum, m, k) => sum + m * (sizes[k] + 1), 0);
  const [weights, gradient, first, second] = Array.from({ length: 4 }, () => new Float32Array(count));
  let at = 0;
  const layers = sizes.slice(1).map((m, k) => {
    const n = sizes[k];
    /** @param {Float32Array} array @param {number} length */
    const part = (array, length) => array.subarray(at, at + length);
    const [W, dW] = [part(weights, m * n), part(gradient, m * n)];
    at += m * n;
    const [b, db] = [part(weights, m), part(gradient, m)];
    at += m;
    for (const array of [W, b])
      for (let i = 0; i < array.length; i++) array[i] = (2 * chance.uniform() - 1) / Math.sqrt(n);
    return { n, m, W, b, dW, db };
  });
  let steps = 0;

  /** @param {Float32Array} x @param {number} n @returns {Pass} */
  function forward(x, n) {
    /** @type {Float32Array[]} */
    const inputs = [];
    layers.forEach((layer, k) => {
      inputs.push(x);
      const y = new Float32Array(n * layer.m);
      linear(layer, x, n, y);
      if (k < last) for (let i = 0; i < y.length; i++) y[i] = Math.max(0, y[i]);
      else if (squash) for (let i = 0; i < y.length; i++) y[i] = sigmoid(y[i]);
      x = y;
    });
    return { y: x, n, inputs };
  }

  /**
   * Adds d^T x to a layer's derivatives, d[rows, m] being those by its outputs and x[rows, n] its inputs.
   * @param {Layer} layer
   * @param {Float32Array} d
   * @param {Float32Array} x
   * @param {number} rows
   */
  function collect(layer, d, x, rows) {
    const sums = times(turned(d, rows, layer.m), layer.m, turned(x, rows, layer.n), rows, layer.n);
    for (let i = 0; i < sums.length; i++) layer.dW[i] += sums[i];
  }

  /** @param {Layer} layer @param {Float32Array} d @param {number} rows */
  const down = (layer, d, rows) => times(d, rows, turned(layer.W, layer.m, layer.n), layer.m, layer.n);

  /** @param {Pass} pass @param {Float32Array} dy @param {{ weights?: boolean, input?: boolean }} want */
  function backward({ y, n, inputs }, dy, { weights: wanted = true, input = false } = {}) {
    let d = squash ? dy.map((value, i) => value * y[i] * (1 - y[i])) : dy;
    for (let k = last; k >= 0; k--) {
      const layer = layers[k];
      if (wanted) {
        collect(layer, d, inputs[k], n);
        for (let i = 0; i < d.length; i++) layer.db[i % layer.m] += d[i];
      }
      if (k === 0 && !input) break;
      d = down(layer, d, n);
      if (k > 0) gate(d, inputs[k]);
    }
    return d;
  }

  // Between its kinks the network is a product of matrices, and so is its slope: the weights enter it through the way
  // down, and the derivative of the slope's square goes the same way up again.
  /** @param {Pass} pass @param {number} share */
  function steep({ n, inputs }, share) {
    /** @type {Float32Array[]} */
    const ways = [];
    let d = new Float32Array(n).fill(1);
    for (let k = last; k >= 0; k--) {
      ways[k] = d;
      d = down(layers[k], d, n);
      if (k > 0) gate(d, inputs[k]);
    }
    const square = d.reduce((sum, value) => sum + value * value, 0);
    /** @type {Float32Array} */
    let up = d.map((value) => 2 * share * value);
    layers.forEach((layer, k) => {
      collect(layer, ways[k], up, n);
      if (k < last) up = gate(times(up, n, layer.W, layer.n, layer.m), inputs[k + 1]);
    });
    return share * square;
  }

  /** @param {number} rate */
  function descend(rate) {
    steps += 1;
    const [a, b] = betas;
    const size = rate / (1 - a ** steps);
    const scale = 1 / Math.sqrt(1 - b ** steps);
    for (let i = 0; i < count; i++) {
      const slope = gradient[i];
      first[i] = a * first[i] + (1 - a) * slope;
      second[i] = b * second[i] + (1 - b) * slope * slope;
      weights[i] -= (size * first[i]) / (Math.sqrt(second[i]) * scale + epsilon);
    }
    gradient.fill(0);
  }

  return { sizes, weights, gradient, forward, backward, steep, descend };
}

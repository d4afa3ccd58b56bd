// Matrix products: in plain JavaScript, and four numbers at a time by WebAssembly, which is several times as fast.

// product.wat, compiled: tools/webassembly.py writes it here.
const CODE =
  "AGFzbQEAAAABCwFgB39/f39/f38AAwIBAAUDAQABBxQCBm1lbW9yeQIAB3Byb2R1Y3QAAArCAwG/AwIJfwt7IAAhBwNAQQAhCSACIQwDQCAMIARqIQ0gDSAEaiEOIA4gBGohDyAMIARqIQsgByEIIAEgCmr9AAQAIRMgASAKav0ABBAhFyATIRQgEyEVIBMhFiAXIRggFyEZIBchGgNAIAj9AAQAIRAgCP0ABBAhESAM/QkCACESIBMgECAS/eYB/eQBIRMgFyARIBL95gH95AEhFyAN/QkCACESIBQgECAS/eYB/eQBIRQgGCARIBL95gH95AEhGCAO/QkCACESIBUgECAS/eYB/eQBIRUgGSARIBL95gH95AEhGSAP/QkCACESIBYgECAS/eYB/eQBIRYgGiARIBL95gH95AEhGiAIQSBqIQggDUEEaiENIA5BBGohDiAPQQRqIQ8gDEEEaiEMIAwgC0kNAAsgAyAJIAVsaiAKaiEIIAggE/0LBAAgCCAX/QsEECAIIAVqIQggCCAU/QsEACAIIBj9CwQQIAggBWohCCAIIBX9CwQAIAggGf0LBBAgCCAFaiEIIAggFv0LBAAgCCAa/QsEECAPIQwgCUEEaiEJIAkgBkkNAAsgByAEQQhsaiEHIApBIGohCiAKIAVJDQALCw==";

const PAGE = 65_536; // bytes by which memory grows

/** @typedef {{ n: number, m: number, W: Float32Array, b: Float32Array }} Layer */
/** @typedef {(x: Float32Array, batch: number) => Float32Array} Product */

/**
 * y[batch, m] = x[batch, n] W^T + b, in blocks of 5 samples by 2 outputs: each number loaded serves several times.
 * @param {Layer} layer
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

/** @param {Layer} layer @returns {Product} */
function plainly(layer) {
  return (x, batch) => {
    const y = new Float32Array(batch * layer.m);
    linear(layer, x, batch, y);
    return y;
  };
}

/** @param {number} count @param {number} block */
const filled = (count, block) => block * Math.ceil(count / block);

/**
 * For each of a network's layers what takes x[batch, n] to a new x W^T + b, [batch, m].
 * @param {Layer[]} layers
 * @returns {Product[]}
 */
export function products(layers) {
  try {
    return byVectors(layers);
  } catch {
    return layers.map(plainly); // no WebAssembly, none of four numbers at a time, or a page that forbids it
  }
}

/** @param {Layer[]} layers @returns {Product[]} */
export function byVectors(layers) {
  const code = Uint8Array.from(atob(CODE), (digit) => digit.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code));
  const memory = /** @type {WebAssembly.Memory} */ (exports.memory);
  const product = /** @type {(...numbers: number[]) => void} */ (exports.product);
  let end = 0;
  /** @param {number} count */
  const room = (count) => {
    const at = end;
    end += 4 * count;
    memory.grow(Math.max(0, Math.ceil((end - memory.buffer.byteLength) / PAGE)));
    return at;
  };
  /** @param {number} at @param {number} count */
  const numbers = (at, count) => new Float32Array(memory.buffer, at, count);

  const placed = layers.map(({ n, m, W, b }) => {
    const width = filled(m, 8);
    const weights = room(width * n);
    const bias = room(width);
    const panels = numbers(weights, width * n);
    for (let o = 0, k = 0; o < m; o++)
      for (let i = 0, to = (o - (o % 8)) * n + (o % 8); i < n; i++, to += 8) panels[to] = W[k++];
    numbers(bias, m).set(b);
    return { n, m, width, weights, bias };
  });
  const rest = end;
  return placed.map(({ n, m, width, weights, bias }) => (x, batch) => {
    const rows = filled(batch, 4);
    end = rest;
    const from = room(rows * n);
    const to = room(rows * width);
    numbers(from, x.length).set(x);
    product(weights, bias, from, to, 4 * n, 4 * width, rows);
    const y = numbers(to, batch * width);
    if (width === m) return y.slice();
    const narrow = new Float32Array(batch * m);
    for (let s = 0; s < batch; s++) narrow.set(y.subarray(s * width, s * width + m), s * m);
    return narrow;
  });
}

// Codes, fields and images as aae_core/explorers/packing.py packs them: many numbers in one text.

import { bytes } from "./decoder.js";

/** @import { Shape } from "./decoder.js" */

/**
 * Bytes → base64 text.
 * @param {Uint8Array} array
 */
export function base64(array) {
  let binary = "";
  for (const byte of array) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/**
 * Frames of equal length in one array; `frame(t)` blends the two frames around a fractional t.
 * @param {Float32Array} numbers
 * @param {number} size
 * @param {number} frames
 */
function film(numbers, size, frames) {
  return (t = 0) => {
    const at = Math.max(0, Math.min(frames - 1, t));
    const k = Math.min(Math.floor(at), frames - 1);
    const first = numbers.subarray(k * size, (k + 1) * size);
    if (at === k) return first;
    const second = numbers.subarray((k + 1) * size, (k + 2) * size);
    return first.map((value, i) => value + (second[i] - value) * (at - k));
  };
}

/**
 * Codes in the plane. Returns {count, frames, labels (Uint8Array or null), frame(t)}; a frame is a Float32Array
 * [x0, y0, x1, y1, …]. Points keep their place in the list from frame to frame, so that a fractional t shows them
 * on their way.
 * @param {{ count: number, frames: number, scale: number, labelled: boolean }} about
 * @param {string} text
 */
export function readCodes({ count, frames, scale, labelled }, text) {
  const view = bytes(text);
  const numbers = Float32Array.from({ length: 2 * count * frames }, (_, i) => view.getInt16(2 * i, true) * scale);
  const labels = labelled ? new Uint8Array(view.buffer, view.byteOffset + 4 * count * frames, count) : null;
  return { count, frames, labels, frame: film(numbers, 2 * count, frames) };
}

/**
 * Values on a grid, row 0 at the bottom. Returns {width, height, frames, low, high, frame(t)}.
 * @param {{ width: number, height: number, frames: number, low: number, high: number }} about
 * @param {string} text
 */
export function readField({ width, height, frames, low, high }, text) {
  const view = bytes(text);
  const span = (high - low) / 65535;
  const numbers = Float32Array.from(
    { length: width * height * frames },
    (_, i) => low + view.getUint16(2 * i, true) * span,
  );
  return { width, height, frames, low, high, frame: film(numbers, width * height, frames) };
}

/**
 * Grey images of sixteen greys, two to a byte, or of 256 (`bits` = 8). Returns {count, shape, size, all, frame(k)}; a frame is
 * a Float32Array of numbers in [0, 1], its images one after another.
 * @param {{ frames: number, count: number, shape: Shape, bits?: number }} about
 * @param {string} text
 */
export function readImages({ frames, count, shape, bits = 4 }, text) {
  const view = bytes(text);
  const size = count * shape[0] * shape[1] * shape[2];
  const numbers = new Float32Array(frames * size); // millions: a loop, not `from` with a function
  if (bits === 8) for (let i = 0; i < numbers.length; i++) numbers[i] = view.getUint8(i) / 255;
  else for (let i = 0; i < numbers.length; i++) numbers[i] = ((view.getUint8(i >> 1) >> (i % 2 ? 0 : 4)) & 15) / 15;
  return {
    count,
    shape,
    size,
    all: numbers,
    frame: (/** @type {number} */ k) => numbers.subarray(k * size, (k + 1) * size),
  };
}

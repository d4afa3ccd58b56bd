// An encoder in the reader's browser: from an image to a code, and to class probabilities where the network gives them.

import { makeMLP } from "./decoder.js";

/** @import { Packed } from "./decoder.js" */

/**
 * `spec` is the `encoder` trait, `text` its weights. `encode(pixels)` takes one image, a Float32Array of numbers in
 * [0, 1], and returns {code, chances}, both lists of numbers; chances is null where the network gives a code alone.
 * @param {Packed & { n_logits: number }} spec
 * @param {string} text
 * @returns {(pixels: Float32Array) => { code: number[], chances: number[] | null }}
 */
export function makeEncoder(spec, text) {
  const { run } = makeMLP(spec, text);
  return (pixels) => {
    const out = [...run(pixels, 1)];
    const logits = out.slice(0, spec.n_logits);
    const high = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - high));
    const sum = powers.reduce((a, b) => a + b, 0);
    return { code: out.slice(spec.n_logits), chances: spec.n_logits ? powers.map((power) => power / sum) : null };
  };
}

/** The encoder of an explorer's traits. @param {(trait: string) => any} get */
export const unpackedEncoder = (get) => makeEncoder(get("encoder"), get("encoder_weights"));

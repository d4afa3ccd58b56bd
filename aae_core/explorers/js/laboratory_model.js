// A trained model of the laboratory as JSON, which aae_core/explorers/page_model.py loads.

import { base64 } from "./packed.js";
import { BRUSH, beadsOf } from "./priors.js";

/** @import { Ends } from "./points.js" */
/** @import { Choices, Networks } from "./laboratory_bench.js" */

/**
 * @param {Networks} networks
 * @param {{ settings: Choices, shape: number[], seed: number, step: number, scaling?: Ends | null }} run
 */
export function modelAsJSON(networks, { settings, shape, seed, step, scaling = null }) {
  const { prior, drawing, rate, adversaryRate, weight, penalty } = settings;
  const packed = Object.entries(networks).map(([name, { sizes, weights }]) => {
    const activations = sizes.slice(1).map(() => "relu");
    activations[activations.length - 1] = name === "decoder" ? "sigmoid" : "identity";
    const text = base64(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
    return [name, { format: "aae-mlp", version: 1, sizes, activations, precision: "float32", weights: text }];
  });
  const beads = prior === "drawn" && drawing ? beadsOf(drawing) : null;
  return JSON.stringify({
    format: "aae-laboratory",
    version: 1,
    image_shape: shape,
    scaling,
    prior: beads ? { name: "drawn", beads, std: BRUSH } : { name: prior === "drawn" ? "gaussian" : prior },
    seed,
    step,
    rate,
    adversary_rate: adversaryRate,
    weight,
    penalty,
    ...Object.fromEntries(packed),
  });
}

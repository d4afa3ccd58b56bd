// An adversarial autoencoder that learns in the page, one batch at a time, in the three phases of the paper.
//
// As in aae_core/models/adversarial.py, with one difference: there one descent serves reconstruction and fooling, here
// each phase is a descent of its own, so that it can be watched alone. Encoder, decoder and discriminator have an Adam
// each; since the encoder's is the same in both of its phases, the weight is still the balance between the two.

import { network, sigmoid, softplus } from "./network.js";

/** @import { Pass } from "./network.js" */
/** @import { Prior } from "./priors.js" */
/** @import { Chance } from "./random.js" */
/** @typedef {"reconstruction" | "discrimination" | "fooling"} Phase */
/** @typedef {{ x: Float32Array, width: number, count: number }} Rows */
/** @typedef {{ rate: number, adversaryRate: number, weight: number, penalty: number }} Settings */
/** @typedef {{ rows: Float32Array, n: number, samples: Float32Array }} Batch */

/** @type {Phase[]} */
export const PHASES = ["reconstruction", "discrimination", "fooling"];
const BATCH = 64;
const [HIDDEN, ADVERSARY] = [[64], [64, 64]]; // widths of hidden layers

/**
 * `data` is {x, width, count}: rows of numbers in [0, 1]. `chance` (random.js) gives the first weights, the batches and
 * the prior's samples. `settings`, {rate, adversaryRate, weight, penalty}, are read at each step, as is `prior()`.
 * `step(phases)` goes through those phases on one batch and returns the losses of each.
 * @param {Rows} data
 * @param {() => Prior} prior
 * @param {Settings} settings
 * @param {Chance} chance
 */
export function adversarialAutoencoder({ x, width, count }, prior, settings, chance) {
  const encoder = network([width, ...HIDDEN, 2], chance);
  const decoder = network([2, ...[...HIDDEN].reverse(), width], chance, { squash: true });
  const discriminator = network([2, ...ADVERSARY, 1], chance);

  /** @returns {Batch} */
  function batch() {
    const rows = new Float32Array(BATCH * width);
    for (let i = 0; i < BATCH; i++) {
      const k = chance.below(count);
      rows.set(x.subarray(k * width, (k + 1) * width), i * width);
    }
    return { rows, n: BATCH, samples: prior().sample(BATCH, chance) };
  }

  // Encoder and decoder: rebuild the rows.
  /** @param {Batch} batch */
  function reconstruct({ rows, n }) {
    const coded = encoder.forward(rows, n);
    const rebuilt = decoder.forward(coded.y, n);
    let loss = 0;
    const slope = rebuilt.y.map((value, i) => {
      const gap = value - rows[i];
      loss += (gap * gap) / rows.length;
      return (2 * gap) / rows.length;
    });
    encoder.backward(coded, decoder.backward(rebuilt, slope, { input: true }));
    decoder.descend(settings.rate);
    encoder.descend(settings.rate);
    return loss;
  }

  // The discriminator: real are the prior's samples, false the codes. It is kept from growing steep at both.
  /** @param {Batch} batch @param {Float32Array} codes */
  function discriminate({ n, samples }, codes) {
    const both = new Float32Array(4 * n);
    both.set(samples);
    both.set(codes, 2 * n);
    const judged = discriminator.forward(both, 2 * n);
    let loss = 0;
    const slope = judged.y.map((logit, i) => {
      const sign = i < n ? -1 : 1;
      loss += softplus(sign * logit) / (2 * n);
      return (sign * sigmoid(sign * logit)) / (2 * n);
    });
    discriminator.backward(judged, slope);
    if (settings.penalty) discriminator.steep(judged, settings.penalty / n);
    discriminator.descend(settings.adversaryRate);
    return loss;
  }

  // The encoder: its codes are to pass for the prior's.
  /** @param {Batch} batch @param {Pass} coded */
  function fool({ n }, coded) {
    const judged = discriminator.forward(coded.y, n);
    let loss = 0;
    const slope = judged.y.map((logit) => {
      loss += softplus(-logit) / n;
      return (-settings.weight * sigmoid(-logit)) / n;
    });
    if (settings.weight) {
      encoder.backward(coded, discriminator.backward(judged, slope, { weights: false, input: true }));
      encoder.descend(settings.rate);
    }
    return loss;
  }

  /** @param {Phase[]} phases */
  function step(phases = PHASES, given = batch()) {
    /** @type {Partial<Record<Phase, number>>} */
    const losses = {};
    if (phases.includes("reconstruction")) losses.reconstruction = reconstruct(given);
    if (!phases.includes("discrimination") && !phases.includes("fooling")) return losses;
    const coded = encoder.forward(given.rows, given.n);
    if (phases.includes("discrimination")) losses.discrimination = discriminate(given, coded.y);
    if (phases.includes("fooling")) losses.fooling = fool(given, coded);
    return losses;
  }

  return {
    networks: { encoder, decoder, discriminator },
    step,
    /** @param {Float32Array} rows @param {number} n */
    encode: (rows, n) => encoder.forward(rows, n).y,
    /** @param {Float32Array} codes @param {number} n */
    decode: (codes, n) => decoder.forward(codes, n).y,
    /** @param {Float32Array} codes @param {number} n */
    judge: (codes, n) => discriminator.forward(codes, n).y.map(sigmoid), // 1: prior, 0: code
  };
}

const DIRECTIONS = Array.from({ length: 32 }, (_, k) => [
  Math.cos((Math.PI * (k + 0.5)) / 32),
  Math.sin((Math.PI * (k + 0.5)) / 32),
]);

/**
 * The sliced Wasserstein distance between two samples [x0, y0, …] of equal size, as in aae_core/metrics/matching.py.
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
export function slicedDistance(a, b) {
  const n = a.length / 2;
  let sum = 0;
  for (const [c, s] of DIRECTIONS) {
    const [p, q] = [a, b].map((points) =>
      Float32Array.from({ length: n }, (_, k) => c * points[2 * k] + s * points[2 * k + 1]).sort(),
    );
    for (let k = 0; k < n; k++) sum += Math.abs(p[k] - q[k]);
  }
  return sum / n / DIRECTIONS.length;
}

// The laboratory's bench: a run that is begun, played and stepped by messages, and answers with pictures of itself.
// It runs in a worker (laboratory_worker.js), or in the page where there can be none.
//
//   {begin: run, data, labels…}   a new run; `run` is a number that its pictures carry
//   {settings}                    changes of rate, adversaryRate, weight, penalty, prior, drawing, while it runs
//   {play: true | false}          goes on until it is stopped
//   {steps, phases}               so many steps, through those phases (all by default), then a picture
//   {drawn: true}                 the last picture is on the screen, the next may come
//   {networks: true}              answers {run, step, networks}: widths and weights of each
//
// A picture: {run, step, playing, losses, distance, codes, field, rebuilt, drawn, broken}.

import { adversarialAutoencoder, PHASES, slicedDistance } from "./aae.js";
import { makePrior } from "./priors.js";
import { seeded } from "./random.js";
import { REACH } from "./strokes.js";

/** @import { Phase, Rows, Settings } from "./aae.js" */
/** @import { Prior } from "./priors.js" */
/**
 * @typedef {Settings & { prior: string, drawing: string }} Choices
 * @typedef {{ begin: number, data: Rows, settings: Choices, seed: number, shown: number[] }} Begin
 * @typedef {{
 *   begin?: undefined, settings?: Choices, play?: boolean, steps?: number, phases?: Phase[], drawn?: boolean,
 *   networks?: boolean,
 * }} Order
 * @typedef {Partial<Record<Phase, number>>} Losses
 * @typedef {Record<"encoder" | "decoder" | "discriminator", { sizes: number[], weights: Float32Array }>} Networks
 * @typedef {{ run: number, step: number, networks: Networks }} Trained
 * @typedef {{
 *   run: number, step: number, losses: Losses, codes: Float32Array, playing: boolean, broken: boolean, weight: number,
 *   distance: number, field: Float32Array, rebuilt: Float32Array, drawn: Float32Array | null,
 * }} Picture
 * @typedef {{
 *   run: number, data: Rows, settings: Choices, model: ReturnType<typeof adversarialAutoencoder>, shown: number[],
 *   step: number, goal: number, phases?: Phase[], sums: Losses, counts: Losses, broken: boolean,
 *   prior: Prior, samples: Float32Array, few: Float32Array,
 * }} State
 */

export const GRID = 28; // points along a side of the discriminator's field

const points = Float32Array.from({ length: 2 * GRID * GRID }, (_, i) => {
  const k = i % 2 ? Math.floor(i / 2 / GRID) : (i / 2) % GRID;
  return -REACH + (2 * REACH * k) / (GRID - 1);
});

/**
 * `post(message, buffers)` takes the answers. `slice` is how long it works before it listens again, `every` the least time between pictures, in ms.
 * @param {(answer: Picture | Trained, buffers: ArrayBuffer[]) => void} post
 */
export function bench(post, { slice = 40, every = 60 } = {}) {
  /** @type {State} */
  let state;
  /** @type {ReturnType<typeof setTimeout> | null} */
  let timer = null;
  let seen = true;
  let last = 0;

  /** @param {Begin} message */
  function begin({ begin: run, data, settings, seed, shown }) {
    const chance = seeded(seed);
    const own = { ...settings };
    const model = adversarialAutoencoder(data, () => state.prior, own, chance);
    state = {
      run,
      data,
      settings: own,
      model,
      shown,
      step: 0,
      goal: 0,
      sums: {},
      counts: {},
      broken: false,
      ...choosePrior(own, data, shown),
    };
    picture();
  }

  /** @param {Choices} settings @param {Rows} data @param {number[]} shown */
  function choosePrior({ prior: name, drawing }, { count }, shown) {
    const prior = makePrior(name, drawing);
    const samples = prior.sample(count, seeded(2)); // always the same ones, so that the distance moves by the codes alone
    return { prior, samples, few: samples.subarray(0, 2 * shown.length) };
  }

  function picture() {
    const { run, data, model, settings, shown, step } = state;
    const { x, width, count: n } = data;
    const codes = model.encode(x, n);
    const all = width === 2; // points in the plane: cheap enough, and worth seeing
    const chosen = all
      ? codes
      : Float32Array.from({ length: 2 * shown.length }, (_, i) => codes[2 * shown[i >> 1] + (i % 2)]);
    /** @type {Losses} */
    const losses = {};
    for (const phase of PHASES) {
      const count = state.counts[phase];
      if (count) losses[phase] = (state.sums[phase] ?? 0) / count;
    }
    [state.sums, state.counts] = [{}, {}];
    /** @type {Picture} */
    const answer = {
      run,
      step,
      losses,
      codes,
      playing: state.goal > step,
      broken: state.broken,
      weight: settings.weight,
      distance: slicedDistance(codes, state.samples),
      field: model.judge(points, GRID * GRID),
      rebuilt: model.decode(chosen, chosen.length / 2),
      drawn: all ? null : model.decode(state.few, shown.length),
    };
    seen = false;
    last = performance.now();
    const arrays = [codes, answer.field, answer.rebuilt, answer.drawn].filter((array) => array !== null);
    post(
      answer,
      arrays.map(({ buffer }) => /** @type {ArrayBuffer} */ (buffer)),
    );
  }

  /** @param {Phase[]} [phases] */
  function advance(phases = PHASES) {
    const losses = state.model.step(phases);
    state.step += 1;
    for (const phase of PHASES) {
      const loss = losses[phase];
      if (loss === undefined) continue;
      state.sums[phase] = (state.sums[phase] ?? 0) + loss;
      state.counts[phase] = (state.counts[phase] ?? 0) + 1;
      if (!Number.isFinite(loss)) state.broken = true;
    }
    if (state.broken) state.goal = state.step;
  }

  function turn() {
    timer = null;
    const until = performance.now() + slice;
    while (state.step < state.goal && performance.now() < until) advance(state.phases);
    const done = state.step >= state.goal;
    if (done || (seen && performance.now() - last >= every)) picture();
    if (!done) timer = setTimeout(turn, 0);
  }

  /** @param {number} goal @param {Phase[]} [phases] */
  const go = (goal, phases) => {
    Object.assign(state, { goal, phases });
    timer ??= setTimeout(turn, 0);
  };

  return (/** @type {Begin | Order} */ message) => {
    if (message.begin !== undefined) {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      begin(message);
      return;
    }
    if (message.drawn) seen = true;
    if (message.networks) {
      const copies = Object.entries(state.model.networks).map(([name, { sizes, weights }]) => [
        name,
        { sizes, weights: weights.slice() },
      ]);
      post({ run: state.run, step: state.step, networks: Object.fromEntries(copies) }, []);
    }
    if (message.settings) {
      const { prior, drawing } = state.settings;
      Object.assign(state.settings, message.settings);
      if (state.settings.prior !== prior || state.settings.drawing !== drawing) {
        Object.assign(state, choosePrior(state.settings, state.data, state.shown));
        if (timer === null) picture();
      }
    }
    if (message.play) go(Infinity);
    else if (message.play === false && timer !== null) state.goal = state.step;
    if (message.steps) go(state.step + message.steps, message.phases);
  };
}

// The laboratory's bench: a run that is begun, played and stepped by messages, and answers with pictures of itself.
// It runs in a worker (laboratory_worker.js), or in the page where there can be none.
//
//   {begin: run, data, labels…}   a new run; `run` is a number that its pictures carry
//   {settings}                    changes of rate, adversaryRate, weight, penalty, prior, drawing, while it runs
//   {play: true | false}          goes on until it is stopped
//   {steps, phases}               so many steps, through those phases (all by default), then a picture
//   {drawn: true}                 the last picture is on the screen, the next may come
//
// A picture: {run, step, playing, losses, distance, codes, field, rebuilt, drawn, broken}.

import { PHASES, adversarialAutoencoder, slicedDistance } from "./aae.js";
import { makePrior } from "./priors.js";
import { seeded } from "./random.js";
import { REACH } from "./strokes.js";

export const GRID = 28; // points along a side of the discriminator's field
const SHOWN = 10; // rows that are rebuilt, and samples that are decoded, unless all are

const points = Float32Array.from({ length: 2 * GRID * GRID }, (_, i) => {
  const k = i % 2 ? Math.floor(i / 2 / GRID) : (i / 2) % GRID;
  return -REACH + (2 * REACH * k) / (GRID - 1);
});

/** `post(message, buffers)` takes the answers. `slice` is how long it works before it listens again, `every` the least time between pictures, in ms. */
export function bench(post, { slice = 40, every = 60 } = {}) {
  let state = null;
  let timer = null;
  let seen = true;
  let last = 0;

  function begin({ begin: run, data, settings, seed, shown }) {
    const chance = seeded(seed);
    const own = { ...settings };
    const model = adversarialAutoencoder(data, () => state.prior, own, chance);
    state = { run, data, settings: own, model, chance, shown, step: 0, goal: 0, sums: {}, counts: {}, broken: false };
    choosePrior();
    picture();
  }

  function choosePrior() {
    const { settings, data, shown } = state;
    state.prior = makePrior(settings.prior, settings.drawing);
    state.samples = state.prior.sample(data.count, seeded(2)); // always the same ones, so that the distance moves by the codes alone
    state.few = state.samples.subarray(0, 2 * shown.length);
  }

  function picture() {
    const { run, data, model, settings, shown, step } = state;
    const { x, width, count } = data;
    const codes = model.encode(x, count);
    const all = width === 2; // points in the plane: cheap enough, and worth seeing
    const chosen = all ? codes : Float32Array.from({ length: 2 * shown.length }, (_, i) => codes[2 * shown[i >> 1] + (i % 2)]);
    const losses = {};
    for (const phase of Object.keys(state.sums)) losses[phase] = state.sums[phase] / state.counts[phase];
    [state.sums, state.counts] = [{}, {}];
    const answer = {
      run, step, losses, codes,
      playing: state.goal > step, broken: state.broken, weight: settings.weight,
      distance: slicedDistance(codes, state.samples),
      field: model.judge(points, GRID * GRID),
      rebuilt: model.decode(chosen, chosen.length / 2),
      drawn: all ? null : model.decode(state.few, shown.length),
    };
    seen = false;
    last = performance.now();
    post(answer, [codes, answer.field, answer.rebuilt, answer.drawn].filter(Boolean).map(({ buffer }) => buffer));
  }

  function advance(phases = PHASES) {
    const losses = state.model.step(phases);
    state.step += 1;
    for (const [phase, loss] of Object.entries(losses)) {
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

  const go = (goal, phases) => {
    Object.assign(state, { goal, phases });
    timer ??= setTimeout(turn, 0);
  };

  return (message) => {
    if (message.drawn) seen = true;
    if ("begin" in message) {
      clearTimeout(timer);
      timer = null;
      begin(message);
    } else if (message.settings) {
      const { prior, drawing } = state.settings;
      Object.assign(state.settings, message.settings);
      if (state.settings.prior !== prior || state.settings.drawing !== drawing) {
        choosePrior();
        if (timer === null) picture();
      }
    }
    if (message.play) go(Infinity);
    else if (message.play === false && timer !== null) state.goal = state.step;
    if (message.steps) go(state.step + message.steps, message.phases);
  };
}

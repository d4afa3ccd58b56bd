// A run of the laboratory: begun, played, paused and stepped by hand. What it computes comes as pictures (laboratory_bench.js).

import { PHASES } from "./aae.js";
import { button, playButton } from "./controls.js";
import { h } from "./dom.js";
import { engine } from "./laboratory_engine.js";

/** @import { Phase, Rows } from "./aae.js" */
/** @import { Kit } from "./explorer.js" */
/** @import { Order, Picture, Trained } from "./laboratory_bench.js" */

/** @type {Record<Phase, string>} */
const VERBS = { reconstruction: "Rebuild", discrimination: "Discriminate", fooling: "Fool" };
const BROKEN = "The run broke: a loss is no longer a number. Restart it with smaller rates.";

const inWords = (/** @type {number} */ number) => number.toLocaleString("en");

/**
 * `data()` is what is learnt from, and which rows are to be rebuilt; `onBegin()` runs before a run, `onPicture(picture)`
 * with each picture of it. Returns the elements of the `transport`; `restart()`; `tell()`, after a setting was changed;
 * `last()`, the last picture; `drawn()`, once that is on the screen; `settings()`, as the bench reads them; `trained()`, a
 * promise of the networks as they are.
 * @param {Kit} kit
 * @param {{ data: () => Rows & { shown: number[] }, onBegin: () => void, onPicture: (picture: Picture) => void }} options
 */
export function laboratoryRun({ root, signal, get, say, redraw }, { data, onBegin, onPicture }) {
  let run = 0;
  /** @type {Picture | null} */
  let last = null;
  let playing = false; // what the reader wants; pictures lag behind
  let pace = [0, 0]; // the step and the time at which the counting of steps began
  let quiet = true; // whether the next picture is news that nobody asked for
  const bench = engine(get("worker"), receive, signal);
  const settings = () => ({
    prior: get("prior"),
    drawing: get("drawing"),
    rate: get("rate"),
    adversaryRate: get("adversary_rate"),
    weight: get("weight"),
    penalty: get("penalty"),
  });
  const restart = () => {
    const { shown, ...rows } = data();
    run += 1;
    quiet = true;
    playing = false;
    toggle.set(false);
    onBegin();
    bench.send({ begin: run, data: rows, settings: settings(), seed: get("seed"), shown });
  };
  /** @param {boolean} on @param {Order} order */
  const play = (on, order = { play: on }) => {
    if (on) pace = [last?.step ?? 0, performance.now()];
    [playing, quiet] = [on, false];
    bench.send(order);
    toggle.set(on);
  };
  const toggle = playButton(() => play(!playing));
  const steps = (/** @type {Phase[]} */ phases) => () => play(false, { steps: 1, phases });
  const byHand = PHASES.map((phase) => button(VERBS[phase], steps([phase])));
  const counter = h("p", { class: "aae-counter" });
  const transport = h(
    "div",
    { class: "aae-tools aae-transport" },
    toggle.el,
    counter,
    h(
      "div",
      { class: "aae-tools", role: "group", "aria-label": "By hand" },
      button("One step", steps(PHASES)),
      ...byHand,
    ),
  );

  /** @type {((networks: Trained) => void)[]} */
  const asked = []; // who waits for the networks

  /** @param {Picture | Trained} picture */
  function receive(picture) {
    if ("networks" in picture) {
      for (const answer of asked.splice(0)) answer(picture);
      return;
    }
    if (picture.run !== run) return;
    const stopped = !picture.playing && (last?.run !== run || last.playing || last.step !== picture.step);
    last = picture;
    onPicture(picture);
    if (picture.broken && playing) play(false);
    count(picture);
    root.dataset.step = String(picture.step);
    root.dataset.engine = bench.where();
    const { step, distance, broken } = picture;
    if (stopped && !quiet) say(broken ? BROKEN : `Step ${inWords(step)}, distance to the prior ${distance.toFixed(2)}`);
    redraw();
  }
  const count = (/** @type {Picture} */ { step, playing: goes, broken }) => {
    const seconds = (performance.now() - pace[1]) / 1000;
    const rate = goes && seconds > 1 ? (step - pace[0]) / seconds : null;
    const paced = rate === null ? "" : `, ${Math.round(rate)} a second`;
    counter.textContent = broken ? BROKEN : `Step ${inWords(step)}${paced}`;
  };
  document.addEventListener("visibilitychange", () => document.hidden && playing && play(false), { signal });
  return {
    transport,
    restart,
    tell: () => bench.send({ settings: settings() }),
    last: () => last,
    drawn: () => bench.send({ drawn: true }),
    begun: () => run,
    settings,
    trained: () =>
      new Promise((/** @type {(networks: Trained) => void} */ done) => {
        asked.push(done);
        bench.send({ networks: true });
      }),
  };
}

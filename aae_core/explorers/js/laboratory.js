// The laboratory: an adversarial autoencoder that learns in the page, on data and to a prior of the reader's choice.

import { choice } from "./choice.js";
import { button, slider } from "./controls.js";
import { h } from "./dom.js";
import { explorer } from "./explorer.js";
import { GRID } from "./laboratory_bench.js";
import { easel } from "./laboratory_easel.js";
import { modelAsJSON } from "./laboratory_model.js";
import { laboratoryRun } from "./laboratory_run.js";
import { asPython } from "./laboratory_script.js";
import { pointsRebuilt, readings, tenDigits } from "./laboratory_show.js";
import { readImages } from "./packed.js";
import { CERTAIN, legend } from "./pad.js";
import { copyText, saveFile } from "./save.js";
import { among, between, SEED } from "./state.js";
import { areStrokes } from "./strokes.js";
import { makeToy } from "./toys.js";

/** @import { Shape } from "./decoder.js" */
/** @import { Data } from "./laboratory_show.js" */
/** @import { Field } from "./state.js" */

/** @type {Record<string, string>} */
const DATA = { digits: "Digits", blobs: "Blobs", moons: "Moons", ring: "Ring" };
const PRIORS = { gaussian: "Gaussian", petals: "Petals", roll: "Roll", drawn: "Your own" };
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1];
/** @type {[trait: string, name: string, stops: number[]][]} */
const SETTINGS = [
  ["rate", "Rate of the autoencoder", RATES],
  ["adversary_rate", "Rate of the discriminator", RATES],
  ["weight", "Adversarial weight λ", [0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]],
  ["penalty", "Penalty on the slope of D", [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]],
];

export default explorer((kit) => {
  const { root, theme, get, put } = kit;
  const kinds = Object.keys(DATA).filter((kind) => kind !== "digits" || get("images"));
  /** @param {string} trait @param {Field} field */
  const share = (trait, field) => ({ [trait]: { trait, ...field } });
  kit.share({
    ...share("data", among(kinds)),
    ...share("prior", among(Object.keys(PRIORS))),
    ...share("drawing", { write: String, read: (text) => (areStrokes(text) ? text : undefined) }),
    ...share("seed", SEED),
    ...Object.assign({}, ...SETTINGS.map(([trait, , stops]) => share(trait, between(0, 2 * stops[stops.length - 1])))),
  });

  // What is learnt from.
  const images = kinds[0] === "digits" ? readImages(get("about"), get("images")) : null;
  /** @type {Shape} */
  const shape = images?.shape ?? [1, 1, 1];
  /** @type {Record<string, Data>} */
  const opened = {};
  if (images) {
    const labels = Uint8Array.from(get("labels"), Number);
    opened.digits = {
      x: images.all,
      width: shape[1] * shape[2],
      count: images.count,
      labels,
      names: [..."0123456789"],
    };
  }
  const learnt = () => (opened[get("data")] ??= makeToy(get("data")));

  const { plane, tools: drawing, show: showPrior } = easel(kit);
  const numbers = readings(kit);
  const digits = tenDigits(shape);
  const toy = pointsRebuilt(kit);
  const run = laboratoryRun(kit, {
    data: () => {
      const { x, width, count, labels, names } = learnt();
      return { x, width, count, shown: names.map((_, k) => labels.indexOf(k)) };
    },
    onBegin: numbers.clear,
    onPicture: (picture) => {
      numbers.show(picture);
      plane.field({ width: GRID, height: GRID, values: picture.field }, CERTAIN);
      plane.points(picture.codes, learnt().labels, { radius: 1.9 });
      if (get("data") !== "digits") toy.show(learnt(), picture.rebuilt);
    },
  });

  // Settings.
  const sliders = SETTINGS.map(([trait, name, stops]) => {
    const gap = (/** @type {number} */ k) => Math.abs(stops[k] - get(trait));
    const nearest = () => stops.reduce((best, _, k) => (gap(k) < gap(best) ? k : best), 0);
    const one = slider({
      label: name,
      name,
      min: 0,
      max: stops.length - 1,
      step: 1,
      format: () => String(get(trait)),
      onInput: (k) => put({ [trait]: stops[k] }),
    });
    one.range.dataset.acts = "later"; // on the steps to come: it changes no picture by itself
    kit.on(trait, () => {
      one.set(nearest());
      run.tell();
    });
    one.set(nearest());
    return one.el;
  });
  /** @param {string} name @param {string[]} keys @param {string[]} words @param {string} trait */
  const pick = (name, keys, words, trait) => {
    const made = choice(
      name,
      words.map((word) => ({ name: word })),
      "aae-option",
      (k) => put({ [trait]: keys[k] }),
    );
    const label = h("span", { class: "aae-label", "aria-hidden": "true" }, name);
    return { el: h("div", { class: "aae-field" }, label, made.el), show: () => made.set(keys.indexOf(get(trait))) };
  };
  const data = pick(
    "Data",
    kinds,
    kinds.map((kind) => DATA[kind]),
    "data",
  );
  const priors = pick("Prior", Object.keys(PRIORS), Object.values(PRIORS), "prior");

  const again = button(
    "Restart",
    () => {
      run.restart();
      kit.say("Restart: step 0");
    },
    "quiet",
  );
  const another = button("New seed", () => put({ seed: (get("seed") + 1) % 10000 }), "quiet");
  const reset = button(
    "Reset",
    () => {
      const before = run.begun();
      put(get("start"));
      if (run.begun() === before) run.restart();
      kit.say("Reset");
    },
    "quiet",
  );
  const taken = () => ({ settings: run.settings(), seed: get("seed"), shape: get("data") === "digits" ? shape : [2] });
  const copy = async () => {
    const text = asPython({ ...taken(), rows: learnt(), steps: run.last()?.step || 1000 });
    python.textContent = (await copyText(text)) ? "Script copied" : "Copying failed";
    kit.say(python.textContent);
    setTimeout(() => (python.textContent = "Copy as Python"), 2000);
  };
  const python = button("Copy as Python", copy, "quiet");
  const save = async () => {
    const { networks, step } = await run.trained();
    saveFile(
      new Blob([modelAsJSON(networks, { ...taken(), step })], { type: "application/json" }),
      `${get("name")}.json`,
    );
    kit.say(`Model saved, step ${step}`);
  };
  const saving = button("Save model", save, "quiet");
  const tools = kit.tools(() => [[plane.canvas], ...(get("data") === "digits" ? digits.canvases : [[toy.canvas]])]);
  tools.prepend(again, another, reset, python, saving);
  const key = h(
    "p",
    { class: "aae-lead" },
    "Dots: codes of all the data. Lines: half and nine tenths of the prior. Shade: ",
    h("span", { class: "aae-says-prior" }, "D says prior"),
    ", ",
    h("span", { class: "aae-says-code" }, "D says code"),
    ".",
  );
  const groups = h("div", { class: "aae-groups" });
  root.append(
    h("div", { class: "aae-bar" }, data.el, priors.el),
    h(
      "div",
      { class: "aae-bench" },
      h("div", { class: "aae-side" }, plane.el, groups, drawing, run.transport),
      h("div", { class: "aae-side" }, numbers.el, digits.el, toy.el, key),
    ),
    h("div", { class: "aae-panel aae-settings" }, ...sliders),
    tools,
  );

  const showPriors = () => {
    priors.show();
    showPrior();
  };
  const showData = () => {
    data.show();
    digits.el.hidden = get("data") !== "digits";
    toy.el.hidden = get("data") === "digits";
    groups.replaceChildren(legend(learnt().names));
  };
  kit.on("prior drawing", () => {
    showPriors();
    run.tell();
  });
  kit.on("data", () => {
    showData();
    run.restart();
  });
  kit.on("seed", () => {
    run.restart();
    kit.say(`Seed ${get("seed")}: step 0`);
  });
  showPriors();
  showData();
  run.restart();

  return {
    draw: () => {
      const shown = run.last();
      if (!shown) return;
      if (get("data") === "digits" && shown.drawn) digits.paint(learnt(), shown, theme);
      run.drawn();
    },
    repaint: () => {
      for (const part of [plane, toy, numbers]) part.repaint();
      digits.repaint(theme);
    },
  };
});

// The laboratory: an adversarial autoencoder that learns in the page, on data and to a prior of the reader's choice.

import { PHASES } from "./aae.js";
import { choice } from "./choice.js";
import { button, playButton, slider } from "./controls.js";
import { curve } from "./curve.js";
import { picture } from "./digits.js";
import { figure, h } from "./dom.js";
import { explorer } from "./explorer.js";
import { GRID } from "./laboratory_bench.js";
import { engine } from "./laboratory_engine.js";
import { readImages } from "./packed.js";
import { legend, pad } from "./pad.js";
import { describePrior, makePrior } from "./priors.js";
import { seeded } from "./random.js";
import { among, between, index } from "./state.js";
import { REACH, areStrokes, readStrokes, writeStrokes } from "./strokes.js";
import { makeToy } from "./toys.js";

const DATA = { digits: "Digits", blobs: "Blobs", moons: "Moons", ring: "Ring" };
const PRIORS = { gaussian: "Gaussian", petals: "Petals", roll: "Roll", drawn: "Your own" };
const CERTAIN = { low: 0.25, high: 0.75 }; // as in the training explorer
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1];
const SETTINGS = [
  ["rate", "Rate of the autoencoder", RATES],
  ["adversary_rate", "Rate of the discriminator", RATES],
  ["weight", "Adversarial weight λ", [0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]],
  ["penalty", "Penalty on the slope of D", [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]],
];
const READINGS = [
  { key: "reconstruction", name: "Squared error", digits: 4 },
  { key: "distance", name: "Distance to prior", digits: 3 },
  { key: "discrimination", name: "Loss of D", digits: 3, guide: Math.LN2 },
  { key: "fooling", name: "Loss of the encoder", digits: 3, guide: Math.LN2 },
];
const VERBS = { reconstruction: "Rebuild", discrimination: "Discriminate", fooling: "Fool" };

const circle = (x, y, radius) =>
  Array.from({ length: 33 }, (_, k) => [x + radius * Math.cos((k * Math.PI) / 16), y + radius * Math.sin((k * Math.PI) / 16)]);
const SHAPES = {
  "Two islands": () => [circle(-1.8, -0.9, 0.35), circle(1.8, 0.9, 0.35)],
  "A ring": () => [circle(0, 0, 2.4)],
  "An S": () => [Array.from({ length: 41 }, (_, k) => [2 * Math.sin((k - 20) * 0.235), (20 - k) * 0.13])],
};

const inWords = (number) => number.toLocaleString("en");

export default explorer((kit) => {
  const { root, theme, get, put, signal } = kit;
  const kinds = Object.keys(DATA).filter((kind) => kind !== "digits" || get("images"));
  const share = (trait, field) => ({ [trait]: { trait, ...field } });
  kit.share({
    ...share("data", among(kinds)),
    ...share("prior", among(Object.keys(PRIORS))),
    drawing: { trait: "drawing", write: (text) => text, read: (text) => (areStrokes(text) ? text : undefined) },
    ...share("seed", index(0, 9999)),
    ...Object.assign({}, ...SETTINGS.map(([trait, , stops]) => share(trait, between(0, 2 * stops.at(-1))))),
  });

  // What is learnt from.
  const opened = {};
  const open = (kind) => (opened[kind] ??= kind === "digits" ? openDigits() : makeToy(kind));
  function openDigits() {
    const { shape, count, frame } = readImages(get("about"), get("images"));
    const labels = Uint8Array.from(get("labels"), Number);
    const names = [..."0123456789"];
    return { x: frame(0), width: shape[1] * shape[2], count, labels, names, shape };
  }

  // The plane of codes, on which the reader may draw.
  const plane = pad({ extent: [-REACH, REACH, -REACH, REACH], name: "Codes", theme, onMove: draws, signal });
  let place = [0, 0];
  let stroke = null; // the one under the pen
  const draw = (strokes) => put({ drawing: writeStrokes(strokes) });
  function draws(point, done) {
    place = point;
    if (!done) {
      (stroke ??= []).push(point);
      plane.paths([stroke.flat()]);
    } else if (stroke) {
      const drawn = [...readStrokes(get("drawing")), [...stroke, point]];
      stroke = null;
      plane.paths(null);
      draw(drawn);
    }
  }
  plane.el.addEventListener("keydown", (event) => {
    if (get("prior") !== "drawn" || (event.key !== " " && event.key !== "Enter")) return;
    event.preventDefault();
    draw([...readStrokes(get("drawing")), [place]]);
    kit.say(`A dab at ${place.map((value) => figure(value, 1)).join(", ")}`);
  });
  const shapes = Object.entries(SHAPES).map(([name, make]) =>
    button(name, () => {
      draw(make());
      kit.say(`Prior: ${name}`);
    }),
  );
  const undo = button("Undo", () => draw(readStrokes(get("drawing")).slice(0, -1)));
  const clear = button("Clear", () => draw([]));
  const easel = h(
    "div",
    { class: "aae-easel" },
    h("p", { class: "aae-lead" }, "Draw on the plane. By keyboard: arrows move the pen, the space bar leaves a dab. Or begin with a shape:"),
    h("div", { class: "aae-tools" }, ...shapes, undo, clear),
  );

  // The run.
  let run = 0;
  let shown = null; // the run's last picture
  let playing = false; // what the reader wants; pictures lag behind
  let pace = [0, 0]; // the step and the time at which the counting of steps began
  let quiet = true; // whether the next picture is news that nobody asked for
  const bench = engine(get("worker"), receive, signal);
  const settings = () => ({
    prior: get("prior"), drawing: get("drawing"), rate: get("rate"), adversaryRate: get("adversary_rate"),
    weight: get("weight"), penalty: get("penalty"),
  });
  const restart = () => {
    const { x, width, count, labels, names } = open(get("data"));
    run += 1;
    quiet = true;
    playing = false;
    toggle.set(false);
    curves.forEach((one) => one.clear());
    values.forEach((value) => (value.textContent = "–"));
    const ten = names.map((_, k) => labels.indexOf(k));
    bench.send({ begin: run, data: { x, width, count }, settings: settings(), seed: get("seed"), shown: ten });
  };
  const play = (on, message = { play: on }) => {
    if (on) pace = [shown?.step ?? 0, performance.now()];
    [playing, quiet] = [on, false];
    bench.send(message);
    toggle.set(on);
  };
  const toggle = playButton(() => play(!playing));
  const steps = (phases) => () => play(false, { steps: 1, phases });
  const phases = PHASES.map((phase) => button(VERBS[phase], steps([phase])));
  const counter = h("p", { class: "aae-counter" });
  const transport = h(
    "div",
    { class: "aae-tools aae-transport" },
    toggle.el, counter,
    h("div", { class: "aae-tools", role: "group", "aria-label": "By hand" }, button("One step", steps(PHASES)), ...phases),
  );

  function receive(picture) {
    if (picture.run !== run) return;
    const stopped = !picture.playing && (shown?.run !== run || shown.playing || shown.step !== picture.step);
    shown = picture;
    for (const [k, { key, digits }] of READINGS.entries()) {
      const value = key === "distance" ? picture.distance : picture.losses[key];
      if (value === undefined) continue;
      if (Number.isFinite(value)) curves[k].add(picture.step, value);
      values[k].textContent = value.toFixed(digits);
    }
    const { width, labels } = open(get("data"));
    plane.field({ width: GRID, height: GRID, values: picture.field }, CERTAIN);
    plane.points(picture.codes, labels, { radius: 1.9 });
    if (width === 2) showSpace(picture.rebuilt);
    if (picture.broken && playing) play(false);
    count();
    root.dataset.step = picture.step;
    root.dataset.engine = bench.where();
    if (stopped && !quiet) kit.say(picture.broken ? BROKEN : `Step ${inWords(picture.step)}, distance to the prior ${picture.distance.toFixed(2)}`);
    kit.redraw();
  }
  const BROKEN = "The run broke: a loss is no longer a number. Restart it with smaller rates.";
  const count = () => {
    const seconds = (performance.now() - pace[1]) / 1000;
    const rate = shown.playing && seconds > 1 ? `, ${Math.round((shown.step - pace[0]) / seconds)} a second` : "";
    counter.textContent = shown.broken ? BROKEN : `Step ${inWords(shown.step)}${rate}`;
    if (rate) root.dataset.pace = ((shown.step - pace[0]) / seconds).toFixed(1);
  };
  document.addEventListener("visibilitychange", () => document.hidden && playing && play(false), { signal });

  // Readings, each with its course.
  const curves = READINGS.map(({ guide = null }) => curve({ theme, guide, signal }));
  const values = READINGS.map(() => h("dd"));
  const readings = h(
    "dl",
    { class: "aae-readings" },
    ...READINGS.map(({ name }, k) => h("div", {}, h("dt", {}, name), values[k], h("dd", {}, curves[k].el))),
  );

  // What the autoencoder makes of the data: ten digits, or all the points of the plane.
  const shape = kinds[0] === "digits" ? open("digits").shape : [1, 1, 1];
  const rows = ["Digits", "Rebuilt", "Samples of the prior, decoded"].map((name, r) => {
    const pictures = Array.from({ length: 10 }, (_, k) =>
      picture(shape, { role: "img", "aria-label": r === 2 ? "decoded sample" : `${["digit", "rebuilt"][r]} ${k}` }),
    );
    const el = h("div", { class: "aae-row" }, h("p", { class: "aae-lead" }, name), h("div", { class: "aae-ten" }, ...pictures.map(({ el: one }) => one)));
    return { el, pictures };
  });
  const digits = h("div", {}, ...rows.map(({ el }) => el));
  const space = pad({ extent: [0, 1, 0, 1], name: "Points, and where they are rebuilt", theme, signal });
  const toy = h("div", { class: "aae-space" }, h("p", { class: "aae-lead" }, "Points (grey), and what is rebuilt of them"), space.el);
  const showSpace = (rebuilt) => {
    const { x, labels, count: n } = open(get("data"));
    const points = new Float32Array(4 * n);
    points.set(x);
    points.set(rebuilt, 2 * n);
    space.points(points, [...Array(n).fill(-1), ...labels], { radius: 1.6 });
  };

  // Settings.
  const sliders = SETTINGS.map(([trait, name, stops]) => {
    const nearest = () => stops.reduce((best, stop, k) => (Math.abs(stop - get(trait)) < Math.abs(stops[best] - get(trait)) ? k : best), 0);
    const one = slider({
      label: name, name, min: 0, max: stops.length - 1, step: 1, format: () => String(get(trait)),
      onInput: (k) => put({ [trait]: stops[k] }),
    });
    one.range.dataset.acts = "later"; // on the steps to come: it changes no picture by itself
    kit.on(trait, () => {
      one.set(nearest());
      bench.send({ settings: settings() });
    });
    one.set(nearest());
    return one.el;
  });
  const data = choice("Data", kinds.map((kind) => ({ name: DATA[kind] })), "aae-option", (k) => put({ data: kinds[k] }));
  const priors = choice("Prior", Object.values(PRIORS).map((name) => ({ name })), "aae-option", (k) => put({ prior: Object.keys(PRIORS)[k] }));
  const field = (name, el) => h("div", { class: "aae-field" }, h("span", { class: "aae-label", "aria-hidden": "true" }, name), el);

  const again = (text, change) =>
    button(text, () => {
      change();
      restart();
      kit.say(`${text}: step 0`);
    }, "quiet");
  const reset = button("Reset", () => {
    const before = run;
    put(get("start"));
    if (run === before) restart();
    kit.say("Reset");
  }, "quiet");
  const tools = kit.tools(() => [
    [plane.canvas],
    ...(get("data") === "digits" ? rows.map(({ pictures }) => pictures.map(({ el }) => el)) : [[space.canvas]]),
  ]);
  const another = button("New seed", () => put({ seed: (get("seed") + 1) % 10000 }), "quiet");
  tools.prepend(again("Restart", () => {}), another, reset);
  const key = h(
    "p",
    { class: "aae-lead" },
    "Dots: codes of all the data. Lines: half and nine tenths of the prior. Shade: ",
    h("span", { class: "aae-says-prior" }, "D says prior"), ", ", h("span", { class: "aae-says-code" }, "D says code"), ".",
  );
  const groups = h("div", { class: "aae-groups" });
  root.append(
    h("div", { class: "aae-bar" }, field("Data", data.el), field("Prior", priors.el)),
    h("div", { class: "aae-bench" },
      h("div", { class: "aae-side" }, plane.el, groups, easel, transport),
      h("div", { class: "aae-side" }, readings, digits, toy, key)),
    h("div", { class: "aae-panel aae-settings" }, ...sliders),
    tools,
  );

  const showPrior = () => {
    const drawing = get("prior") === "drawn";
    priors.set(Object.keys(PRIORS).indexOf(get("prior")));
    easel.hidden = !drawing;
    plane.live(drawing);
    undo.disabled = clear.disabled = !get("drawing");
    const { grid, levels } = describePrior(makePrior(get("prior"), get("drawing")), seeded(3), REACH);
    plane.contours(grid, levels);
  };
  const showData = () => {
    const kind = get("data");
    data.set(kinds.indexOf(kind));
    digits.hidden = kind !== "digits";
    toy.hidden = kind === "digits";
    groups.replaceChildren(legend(open(kind).names));
  };
  kit.on("prior drawing", () => {
    showPrior();
    bench.send({ settings: settings() });
  });
  kit.on("data", () => {
    showData();
    restart();
  });
  kit.on("seed", () => {
    restart();
    kit.say(`Seed ${get("seed")}: step 0`);
  });
  showPrior();
  showData();
  restart();

  const paint = (pixels, { pictures }) => pictures.forEach((one, k) => one.paint(pixels, theme, k * shape[1] * shape[2]));
  return {
    draw: () => {
      if (!shown) return;
      if (get("data") === "digits" && shown.drawn) {
        const { x, labels, names, width } = open("digits");
        rows[0].pictures.forEach((one, k) => one.paint(x, theme, labels.indexOf(Number(names[k])) * width));
        paint(shown.rebuilt, rows[1]);
        paint(shown.drawn, rows[2]);
      }
      bench.send({ drawn: true });
    },
    repaint: () => {
      for (const part of [plane, space, ...curves]) part.repaint();
      for (const { pictures } of rows) pictures.forEach((one) => one.repaint(theme));
    },
  };
});

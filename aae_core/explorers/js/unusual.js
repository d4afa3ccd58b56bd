// What is unusual: the page rebuilds a drawing, scores it, and compares the score with a threshold that the reader moves.

import { chart } from "./chart.js";
import { choice } from "./choice.js";
import { slider } from "./controls.js";
import { makeDecoder } from "./decoder.js";
import { picture } from "./digits.js";
import { figure, h } from "./dom.js";
import { unpackedEncoder } from "./encoder.js";
import { explorerOfTwo } from "./explorer.js";
import { readImages } from "./packed.js";
import { above, quantile } from "./quantiles.js";
import { among, between } from "./state.js";
import { strip } from "./strip.js";
import { writing, writingFields } from "./writing.js";

/** @typedef {"error" | "surprise" | "both"} Kind */

/** @type {Kind[]} */
const KINDS = ["error", "surprise", "both"];
const ROUND = 1000; // images of which
const RARE = 10; // are unusual: one in a hundred
const GRID = 60; // points of a curve
const share = (/** @type {number} */ value) => `${figure(100 * value, value < 0.0995 ? 1 : 0)}%`;

export default explorerOfTwo(unpackedEncoder, (kit, encode) => {
  const { root, theme, get, put, signal } = kit;
  const decoder = makeDecoder(get("decoder"), get("weights"));
  const about = get("about");
  /** @type {string[]} */
  const names = about.kinds;
  /** @type {number[]} */
  const labels = about.labels;
  const images = readImages(about.images, get("images"));
  const size = images.size / images.count;
  const [least, most] = about.rates;
  const constant = (get("decoder").code_dim / 2) * Math.log(2 * Math.PI);
  const known = (/** @type {Kind} */ kind) => about.quantiles[kind].usual;
  const odd = (/** @type {Kind} */ kind) => about.quantiles[kind].unusual;
  kit.share({
    ...writingFields(labels.length),
    score: { trait: "kind", ...among(KINDS) },
    rate: { trait: "rate", ...between(least, most) },
  });

  /** @type {Record<Kind, number> | null} */
  let scores = null; // of what is seen; null of an empty paper

  /** @param {Float32Array} pixels */
  const scored = (pixels) => {
    const { code } = encode(pixels);
    const made = decoder.decode([code]);
    rebuilt.paint(made, theme);
    const error = pixels.reduce((sum, value, k) => sum + (value - made[k]) ** 2, 0) / pixels.length;
    const surprise = code.reduce((sum, value) => sum + value * value, 0) / 2 + constant;
    const inUnits = (/** @type {"error" | "surprise"} */ kind, /** @type {number} */ value) =>
      (value - about.scale[kind][0]) / about.scale[kind][1];
    return { error, surprise, both: inUnits("error", error) + inUnits("surprise", surprise) };
  };
  const nothing = new Float32Array(size);
  const look = () => {
    const pixels = paper.look();
    scores = pixels && scored(pixels);
    if (!scores) rebuilt.paint(nothing, theme);
    tell();
  };
  const tell = () => {
    /** @type {Kind} */
    const kind = get("kind");
    const limit = quantile(known(kind), 1 - get("rate"));
    for (const one of KINDS) readings[one].textContent = scores ? figure(scores[one], one === "error" ? 3 : 1) : "–";
    const alarm = scores !== null && scores[kind] > limit;
    verdict.textContent = scores
      ? `${alarm ? "Unusual" : "Usual"}: ${share(above(known(kind), scores[kind]))} of usual digits score higher.`
      : "";
    verdict.classList.toggle("aae-alarm", alarm);
    plots[kind].point(scores ? scores[kind] : null);
  };
  const say = (/** @type {string} */ done) => kit.say(`${done}. ${verdict.textContent}`);

  const rebuilt = picture(images.shape, { role: "img", "aria-label": "What the model rebuilds" });
  const readings = { error: h("dd"), surprise: h("dd"), both: h("dd") };
  const verdict = h("p", { class: "aae-verdict" });
  const paper = writing(kit, {
    name: "Paper to draw on",
    hint: "Draw something here",
    shape: images.shape,
    ours: (k) => images.all.slice(k * size, (k + 1) * size),
    read: say,
  });

  /** @param {number} from @param {number} count @param {string} name */
  const row = (from, count, name) => {
    const cells = strip({
      values: Array.from({ length: count }, (_, k) => from + k),
      shape: images.shape,
      name,
      format: (k) => `held-out ${labels[k]}, image ${k - from + 1}`,
      onPick: (example) => {
        put({ example });
        say(`Our ${labels[example]} read`);
      },
    });
    cells.paint(images.all.subarray(from * size), theme);
    return cells;
  };
  const tried = row(0, names.length, "Try one of ours");
  const mistaken = KINDS.map((kind, k) => {
    const from = names.length + 2 * k * about.worst;
    const rows = [
      row(from, about.worst, "Usual digits that score highest"),
      row(from + about.worst, about.worst, "Unusual digits that score lowest"),
    ];
    const titles = ["Usual, yet they score highest", `Unusual (${about.unusual}), yet they score lowest`];
    const parts = rows.map(({ el }, j) => h("div", {}, h("p", { class: "aae-name" }, titles[j]), el));
    return { kind, rows, el: h("div", { class: "aae-mistaken" }, ...parts) };
  });
  const strips = [tried, ...mistaken.flatMap(({ rows }) => rows)];

  const units = { error: "error", surprise: "surprise, nats", both: "both" };
  const plots = Object.fromEntries(
    KINDS.map((kind) => {
      const [low, high] = [Math.min(known(kind)[0], odd(kind)[0]), quantile(odd(kind), 0.98)];
      const end = Math.max(high, quantile(known(kind), 0.998));
      const values = Array.from({ length: GRID }, (_, k) => low + ((end - low) * k) / (GRID - 1));
      const plot = chart({
        x: { values, name: units[kind] },
        y: { low: 0, high: 100, name: "% of held-out digits above" },
        lines: [
          { name: "usual", values: values.map((value) => 100 * above(known(kind), value)) },
          { name: `unusual: ${about.unusual}`, values: values.map((value) => 100 * above(odd(kind), value)) },
        ],
        name: `Share of usual and of unusual held-out digits above a threshold, by their ${units[kind]}`,
        theme,
        signal,
        onPick: (value) => put({ rate: Math.max(least, Math.min(most, +above(known(kind), value).toPrecision(3))) }),
      });
      return [kind, plot];
    }),
  );
  const kinds = choice(
    "Which score counts",
    KINDS.map((name) => ({ name })),
    "aae-option",
    (k) => put({ kind: KINDS[k] }),
  );
  const rate = slider({
    label: "false alarms",
    name: "false alarms",
    min: 0,
    max: Math.log(most / least),
    step: Math.log(most / least) / 100,
    format: () => share(get("rate")),
    onInput: (value) => put({ rate: Math.max(least, Math.min(most, +(least * Math.exp(value)).toPrecision(3))) }),
  });
  const cost = h("p", { class: "aae-lead aae-cost" });
  const tools = kit.tools(() => [
    [...paper.canvases, rebuilt.el],
    ...KINDS.filter((kind) => kind === get("kind")).map((kind) => [{ canvas: plots[kind].canvas, span: 5 }]),
    ...mistaken.filter(({ kind }) => kind === get("kind")).flatMap(({ rows }) => rows.map(({ canvases }) => canvases)),
  ]);
  const named = (/** @type {string} */ text) => h("span", { class: "aae-name", "aria-hidden": "true" }, text);
  root.append(
    h(
      "div",
      { class: "aae-judged" },
      paper.el,
      h(
        "div",
        {},
        h(
          "div",
          { class: "aae-made" },
          h("div", {}, paper.seen, named("seen")),
          h("div", {}, rebuilt.el, named("rebuilt")),
          h("dl", {}, ...KINDS.flatMap((kind) => [h("dt", {}, kind), readings[kind]])),
        ),
        verdict,
        paper.tools,
        paper.pen,
      ),
    ),
    h(
      "div",
      { class: "aae-tried" },
      h("p", { class: "aae-lead" }, "Or try one of ours, held out in training:"),
      tried.el,
    ),
    h(
      "div",
      { class: "aae-bar" },
      h("div", { class: "aae-tools" }, kinds.el),
      h("p", { class: "aae-lead" }, "The score that counts. The triangle marks the score of what lies on the paper."),
    ),
    h("div", { class: "aae-where", dir: "ltr" }, ...KINDS.map((kind) => plots[kind].el), rate.el),
    cost,
    ...mistaken.map(({ el }) => el),
    tools,
  );

  const showImage = () => {
    for (const one of strips) one.mark(get("example") ?? NaN);
    look();
  };
  const showThreshold = () => {
    /** @type {Kind} */
    const kind = get("kind");
    const limit = quantile(known(kind), 1 - get("rate"));
    const found = above(odd(kind), limit);
    kinds.set(KINDS.indexOf(kind));
    rate.set(Math.log(get("rate") / least));
    for (const one of KINDS) plots[one].el.hidden = one !== kind;
    for (const one of mistaken) one.el.hidden = one.kind !== kind;
    plots[kind].set(limit);
    const [wrong, right] = [get("rate") * (ROUND - RARE), found * RARE];
    cost.textContent =
      `Threshold ${figure(limit, kind === "error" ? 3 : 1)}: ${share(get("rate"))} of usual digits raise a false alarm, and ` +
      `${share(found)} of the unusual are found. Of ${ROUND.toLocaleString("en")} images with ${RARE} unusual among them, some ` +
      `${figure(wrong + right, 0)} raise an alarm, ${figure(right, 0)} of them rightly, which is ${share(right / (wrong + right))}.`;
    tell();
  };
  kit.on("drawing example pen", showImage);
  kit.on("kind rate", showThreshold);
  showImage();
  showThreshold();
  return {
    draw: () => {
      if (paper.isStale()) look();
    },
    repaint: () => {
      for (const part of [paper, rebuilt, ...strips]) part.repaint(theme);
      for (const kind of KINDS) plots[kind].repaint();
    },
  };
});

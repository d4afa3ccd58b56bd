// Data of the reader's own for the laboratory: points from a text or drawn by hand, images from the disk. They stay in the page.

import { button } from "./controls.js";
import { h } from "./dom.js";
import { pad } from "./pad.js";
import { readPoints, scaled, textOf, thinned } from "./points.js";
import { seeded } from "./random.js";
import { SIDE, shrinkAll } from "./shrink.js";

/** @import { Kit } from "./explorer.js" */
/** @import { Data } from "./laboratory_show.js" */
/** @import { Ends } from "./points.js" */

const MOST_IMAGES = 1000;
const CLOUD = 4; // points that a touch of the pen leaves
const SPREAD = 0.015; // and how far from it

/**
 * @param {number[][]} points of the unit square
 * @param {Ends | null} ends of the columns that they were scaled from
 * @returns {Data}
 */
const asPoints = (points, ends = null) => ({
  x: Float32Array.from(points.flat()),
  width: 2,
  count: points.length,
  labels: new Uint8Array(points.length),
  names: ["yours"],
  shown: [0],
  ends,
});

/**
 * Images as ink, one after another.
 * @param {Float32Array[]} images
 * @returns {Data}
 */
function asImages(images) {
  const x = new Float32Array(images.length * SIDE * SIDE);
  images.forEach((image, k) => x.set(image, k * SIDE * SIDE));
  const shown = Array.from({ length: 10 }, (_, k) => k % images.length);
  return {
    x,
    width: SIDE * SIDE,
    count: images.length,
    labels: new Uint8Array(images.length),
    names: ["yours"],
    shown,
  };
}

/**
 * Points of a text in two columns, at most as many as are learnt from, in the unit square.
 * @param {string} text
 */
function fromText(text) {
  const { points, ends } = scaled(thinned(readPoints(text)));
  return asPoints(points, ends);
}

/**
 * The panel: `el`, `repaint()`. `onData(data)` runs with what the reader gives.
 * @param {Kit} kit
 * @param {(data: Data) => void} onData
 */
export function yours({ theme, signal, say }, onData) {
  const note = h("p", { class: "aae-lead" }, "Nothing yet: these are the blobs. What you give stays in this page.");
  const tell = (/** @type {string} */ words) => {
    note.textContent = words;
    say(words);
  };
  /** @param {() => Data | Promise<Data>} make */
  const take = async (make) => {
    try {
      const data = await make();
      onData(data);
      tell(`${data.count.toLocaleString("en")} ${data.width === 2 ? "points" : "images"} of yours`);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error));
    }
  };

  const text = h("textarea", {
    "aria-label": "Points, two columns",
    rows: "4",
    spellcheck: "false",
    placeholder: "x,y\n0.2,1.5\n0.3,1.9",
    "data-lm-suppress-shortcuts": "true",
  });
  const use = button("Use these points", () => take(() => fromText(text.value)));

  /** @param {File[]} given */
  const open = async (given) => {
    const images = given.filter(({ type }) => type.startsWith("image/")).slice(0, MOST_IMAGES);
    if (!images.length) return fromText(given[0] ? await textOf(given[0]) : "");
    return asImages(await shrinkAll(images));
  };
  const files = h("input", {
    type: "file",
    multiple: true,
    accept: ".csv,.tsv,.txt,image/*",
    class: "aae-button aae-file",
    "aria-label": "A table of points, or images",
    on: { change: () => files.files?.length && take(() => open([...(files.files ?? [])])) },
  });

  /** @type {number[][]} */
  let drawn = [];
  let place = [0.5, 0.5];
  let pressed = false;
  const chance = seeded(5);
  const within = (/** @type {number} */ value) => Math.max(0, Math.min(1, value));
  const dab = () => {
    for (let k = 0; k < CLOUD; k++) drawn.push(place.map((value) => within(value + SPREAD * chance.normal())));
    drawn = thinned(drawn);
    plane.points(drawn.flat(), null, { radius: 1.6 });
  };
  const done = () => drawn.length > 1 && take(() => asPoints(drawn));
  const plane = pad({
    extent: [0, 1, 0, 1],
    name: "Points to draw",
    axes: ["x", "y"],
    step: 0.05,
    theme,
    signal,
    onMove: (point, ended) => {
      place = point;
      if (!ended) dab();
      if (ended && pressed) done();
      pressed = !ended;
    },
    onCancel: () => (pressed = false),
  });
  plane.set(place);
  plane.el.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    dab();
    done();
  });
  const clear = button("Clear", () => {
    drawn = [];
    plane.points([], null);
    say("No points drawn");
  });

  const el = h(
    "div",
    { class: "aae-yours", role: "group", "aria-label": "Data of your own" },
    note,
    h("div", { class: "aae-side" }, text, h("div", { class: "aae-tools" }, use), files),
    h(
      "div",
      { class: "aae-side" },
      plane.el,
      h("div", { class: "aae-tools" }, clear),
      h("p", { class: "aae-lead" }, "Or draw. By keyboard: arrows move the pen, the space bar leaves points."),
    ),
  );
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    const dropped = [...(event.dataTransfer?.files ?? [])];
    take(() => (dropped.length ? open(dropped) : fromText(event.dataTransfer?.getData("text") ?? "")));
  });
  return { el, repaint: plane.repaint };
}

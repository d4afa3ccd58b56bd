// A flow of codes, there and back: a cloud of points between noise and codes, and what the decoder draws of some on the way.

import { choice } from "./choice.js";
import { button } from "./controls.js";
import { picture } from "./digits.js";
import { h } from "./dom.js";
import { explorer } from "./explorer.js";
import { readCodes, readImages } from "./packed.js";
import { pad } from "./pad.js";
import { circle } from "./plane.js";
import { frameScrubber } from "./scrubber.js";
import { index } from "./state.js";

const SHARES = [0.5, 0.9]; // of the noise that the two circles hold
const CLOUDS = [
  [
    "fresh noise",
    "Fresh noise",
    "Drawn at t = 0; the flow leads it to codes, and the decoder draws ten of its points.",
  ],
  [
    "held-out digits",
    "Held-out digits",
    "Encoded at t = 1; the flow leads them back to noise. Colours are the digits'.",
  ],
];

export default explorer((kit) => {
  const { root, theme, get, put, signal } = kit;
  const about = get("about");
  const codes = get("codes").split("\n");
  const images = get("images").split("\n");
  const clouds = CLOUDS.map((_, k) => ({
    points: readCodes(about.clouds[k], codes[k]),
    images: readImages(about.images[k], images[k]),
  }));
  const last = clouds[0].points.frames - 1;
  kit.share({ frame: { trait: "frame", ...index(0, last) }, cloud: { trait: "cloud", ...index(0, 1) } });

  const { limit } = about;
  const plane = pad({ extent: [-limit, limit, -limit, limit], name: "Points between noise and codes", theme, signal });
  const rings = SHARES.map((share) => circle([0, 0], Math.sqrt(-2 * Math.log(1 - share))));
  const words = (/** @type {number} */ k) => `t = ${(k / last).toFixed(2)}`;
  const film = frameScrubber(kit, {
    count: last + 1,
    fps: 6,
    name: "Time between noise and codes",
    format: words,
    show: () => show(),
  });
  const which = choice(
    "Which points",
    CLOUDS.map(([, name]) => ({ name })),
    "aae-option",
    (cloud) => {
      put({ cloud });
      kit.say(CLOUDS[cloud][1]);
    },
  );
  const shape = clouds[0].images.shape;
  const tiles = Array.from({ length: clouds[0].images.count }, (_, k) =>
    picture(shape, { role: "img", "aria-label": `point ${k + 1}, decoded` }),
  );
  const lead = h("p", { class: "aae-lead" });
  const key = h(
    "p",
    { class: "aae-lead" },
    "Ringed: the ten points that are drawn here, with their ways. Circles: half and nine tenths of the noise.",
  );
  const reset = button(
    "Reset",
    () => {
      film.pause();
      put({ frame: get("start"), cloud: 0 });
      kit.say("Reset");
    },
    "quiet",
  );
  const tools = kit.tools(() => [[plane.canvas], tiles.map(({ el }) => el)]);
  tools.prepend(reset);
  root.append(
    h("div", { class: "aae-bar" }, which.el, lead),
    h(
      "div",
      { class: "aae-flow" },
      plane.el,
      film.el,
      h("div", { class: "aae-beside" }, h("div", { class: "aae-drawn" }, ...tiles.map(({ el }) => el)), key),
    ),
    tools,
  );

  const show = () => {
    const at = film.at();
    const { points } = clouds[get("cloud")];
    const ways = tiles.map((_, k) => {
      const path = [];
      for (let t = 0; t < at; t++) path.push(...points.frame(t).subarray(2 * k, 2 * k + 2));
      return [...path, ...points.frame(at).subarray(2 * k, 2 * k + 2)];
    });
    plane.points(points.frame(at), points.labels, { radius: 2 });
    plane.paths([
      ...rings.map((path) => ({ path, colour: /** @type {const} */ ("muted"), line: 1 })),
      ...ways.map((path) => ({ path, line: 1 })),
    ]);
    plane.discs(ways.map((path) => ({ at: path.slice(-2) })));
    kit.redraw();
  };
  const draw = () => {
    const { images } = clouds[get("cloud")];
    const pixels = images.frame(Math.round(film.at()));
    tiles.forEach((tile, k) => tile.paint(pixels, theme, (k * images.size) / images.count));
  };
  const mark = () => {
    which.set(get("cloud"));
    lead.textContent = CLOUDS[get("cloud")][2];
    show();
  };
  kit.on("cloud", mark);
  mark();
  return { draw, repaint: () => [plane, ...tiles].forEach((part) => part.repaint(theme)) };
});

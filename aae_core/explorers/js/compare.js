// One point of the plane, decoded by several models at once, over the codes of one of them. The disc about the point
// holds seven prior samples; if it holds no code, the point lies in a hole.

import { choice } from "./choice.js";
import { button } from "./controls.js";
import { makeDecoder } from "./decoder.js";
import { picture } from "./digits.js";
import { h } from "./dom.js";
import { explorer } from "./explorer.js";
import { readCodes, readField } from "./packed.js";
import { legend, pad } from "./pad.js";
import { blended, circle, nearest, within } from "./plane.js";
import { index, numbers } from "./state.js";

const NEIGHBOURS = 7; // as in aae_core/metrics/holes.py

/** @import { Images, Packed } from "./decoder.js" */
/** @import { Grid } from "./pad.js" */
/**
 * @typedef {Parameters<typeof readCodes>[0]} Codes
 * @typedef {Parameters<typeof readField>[0]} Field
 * @typedef {{ name: string, decoder: Packed & Images, codes: Codes, ways?: Field[] }} One
 * @typedef {{ name: string, models: One[], samples: Codes, prior: Field, levels: number[] }} Group
 * @typedef {{ name: string, decoder: ReturnType<typeof makeDecoder>, codes: ReturnType<typeof readCodes>, ways: Grid[] }} Opened
 */

/** @param {ReturnType<typeof readField>} field @returns {Grid} */
const grid = ({ width, height, frame }) => ({ width, height, values: frame() });

/**
 * The groups as they are needed: each is unpacked when it is first looked at.
 * @param {Group[]} about
 * @param {string[]} weights
 * @param {string[]} codes
 */
function openGroups(about, weights, codes) {
  let line = 0;
  let first = 0;
  const groups = about.map((group) => {
    const from = first;
    const count = group.models.length;
    const lines = group.models.map(({ ways = [] }) => {
      line += 1 + ways.length;
      return line - 1 - ways.length; // where a model's codes are; its ways follow
    });
    const end = line;
    line += 2;
    first += count;
    /** @type {{ models: Opened[], samples: Float32Array, prior: ReturnType<typeof readField>, levels: number[] } | null} */
    let made = null;
    return () =>
      (made ??= {
        models: group.models.map((model, k) => ({
          name: model.name,
          decoder: makeDecoder(model.decoder, weights[from + k]),
          codes: readCodes(model.codes, codes[lines[k]]),
          ways: (model.ways ?? []).map((way, c) => grid(readField(way, codes[lines[k] + 1 + c]))),
        })),
        samples: readCodes(group.samples, codes[end]).frame(),
        prior: readField(group.prior, codes[end + 1]),
        levels: group.levels,
      });
  });
  return (/** @type {number} */ k) => groups[k]();
}

export default explorer((kit) => {
  const { root, theme, get, put, signal } = kit;
  /** @type {Group[]} */
  const about = get("about");
  const limit = get("limit");
  const open = openGroups(about, get("weights").split("\n"), get("codes").split("\n"));
  const names = about[0].models.map(({ name }) => name);
  kit.share({
    z: { trait: "z", ...numbers(2) },
    prior: { trait: "group", ...index(0, about.length - 1) },
    codes: { trait: "under", ...index(0, names.length - 1) },
  });

  const plane = pad({
    extent: [-limit, limit, -limit, limit],
    name: "Code",
    theme,
    signal,
    onMove: (z) => put({ z: z.map((value) => +value.toFixed(2)) }),
  });
  const glideTo = (/** @type {number[]} */ z) => kit.glideTo("z", z, { ms: 600 });

  const shape = about[0].models[0].decoder.image_shape;
  const pictures = names.map((name) => picture(shape, { role: "img", "aria-label": `decoded by ${name}` }));
  const notes = names.map(() => h("span", { class: "aae-note" }));
  const cards = choice(
    "Whose codes lie underneath",
    names.map((name, k) => ({
      name: `codes of ${name}`,
      content: [pictures[k].el, h("span", { class: "aae-name", "aria-hidden": "true" }, name), notes[k]],
    })),
    "aae-card",
    (under) => {
      put({ under });
      kit.say(`Codes of ${names[under]} underneath`);
    },
  );
  const priors = choice(
    "Prior",
    about.map(({ name }) => ({ name })),
    "aae-option",
    (group) => {
      put({ group });
      kit.say(`Prior: ${about[group].name}`);
    },
  );
  /** @param {ArrayLike<number>} points @param {number} k */
  const round = (points, k) => [0, 1].map((c) => +Math.max(-limit, Math.min(limit, points[2 * k + c])).toFixed(2));
  // What a decoder takes at the point: the point itself, or where a second stage leads from there.
  const code = (/** @type {Grid[]} */ ways) =>
    ways.length ? ways.map((way) => blended(way, get("z"), limit)) : get("z");
  const radius = (/** @type {number[]} */ z) => nearest(open(get("group")).samples, z, NEIGHBOURS);
  const sample = button("Sample the prior", () => {
    const { samples } = open(get("group"));
    glideTo(round(samples, Math.floor((Math.random() * samples.length) / 2)));
    kit.say("New point, sampled from the prior");
  });
  const find = button("Find a hole", () => {
    const { samples, models } = open(get("group"));
    const points = models[get("under")].codes.frame();
    const begin = Math.floor((Math.random() * samples.length) / 2);
    for (let k = 0; 2 * k < samples.length; k++) {
      const z = round(samples, (begin + k) % (samples.length / 2));
      if (Math.hypot(z[0], z[1]) > limit || within(points, z, radius(z))) continue;
      glideTo(z);
      kit.say(`A hole in the codes of ${names[get("under")]}`);
      return;
    }
    kit.say("No hole found");
  });
  const reset = button(
    "Reset",
    () => {
      glideTo(get("start"));
      put({ group: 0, under: 0 });
      kit.say("Reset");
    },
    "quiet",
  );
  const lead = h("p", { class: "aae-lead" });
  const tools = kit.tools(() => [[plane.canvas], pictures.map(({ el }) => el)]);
  tools.prepend(reset);
  root.append(
    h("div", { class: "aae-bar" }, priors.el, lead),
    h(
      "div",
      { class: "aae-compare" },
      plane.el,
      cards.el,
      h("div", { class: "aae-tools" }, sample, find),
      legend([..."0123456789"]),
    ),
    tools,
  );

  const showGroup = () => {
    const { models, prior, levels } = open(get("group"));
    const { codes, name } = models[get("under")];
    priors.set(get("group"));
    cards.set(get("under"));
    lead.textContent = `Dots: ${codes.count.toLocaleString("en")} held-out digits as ${name} encodes them. Lines: half and nine tenths of the prior.`;
    plane.contours({ ...prior, values: prior.frame() }, levels);
    plane.points(codes.frame(), codes.labels, { radius: 1.8 });
    showPoint();
  };
  const showPoint = () => {
    const z = get("z");
    const squared = radius(z);
    plane.set(z);
    plane.paths([circle(z, Math.sqrt(squared))]);
    open(get("group")).models.forEach(({ codes }, k) => {
      const count = within(codes.frame(), z, squared);
      notes[k].textContent = count ? `${count} ${count === 1 ? "code" : "codes"} in the disc` : "no code: a hole";
      notes[k].classList.toggle("aae-hole", !count);
    });
    kit.redraw();
  };
  kit.on("group under", showGroup);
  kit.on("z", showPoint);
  showGroup();
  return {
    draw: () =>
      open(get("group")).models.forEach(({ decoder, ways }, k) =>
        pictures[k].paint(decoder.decode([code(ways)]), theme),
      ),
    repaint: () => [plane, ...pictures].forEach((part) => part.repaint(theme)),
  };
});

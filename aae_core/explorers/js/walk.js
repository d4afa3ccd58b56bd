// A walk between two codes of a generator: a strip of stills, a slider along it, and single coordinates that are
// moved for the whole walk at once.

import { button, coordinate, slider } from "./controls.js";
import { makeDecoder } from "./decoder.js";
import { picture } from "./digits.js";
import { figure, h } from "./dom.js";
import { explorer } from "./explorer.js";
import { sampleNormal } from "./random.js";
import { scrubber } from "./scrubber.js";
import { between, numbers } from "./state.js";
import { spread, strip } from "./strip.js";

/** @import { Strip } from "./strip.js" */

const STEPS = 100; // of the slider along the walk
const FPS = 25; // of which so many a second go by when it plays
const REACH = 3; // sampled codes keep to within three standard deviations

/**
 * The code a share `t` of the way from `a` to `b` along an arc, the length changing evenly with the angle.
 * @param {number[]} a
 * @param {number[]} b
 * @param {number} t
 * @returns {number[]}
 */
export function spherical(a, b, t) {
  const length = (/** @type {number[]} */ v) => Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));
  const scale = length(a) * length(b);
  const cosine = scale ? a.reduce((sum, value, k) => sum + value * b[k], 0) / scale : 1;
  const angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
  const sine = Math.sin(angle);
  if (sine < 1e-4) return a.map((value, k) => value + (b[k] - value) * t);
  return a.map((value, k) => (Math.sin((1 - t) * angle) * value + Math.sin(t * angle) * b[k]) / sine);
}

export default explorer((kit) => {
  const { root, theme, get, put, signal } = kit;
  const decoder = makeDecoder(get("decoder"), get("weights"));
  const dim = decoder.codeDim;
  /** @type {number[]} */
  const chosen = get("coordinates");
  /** @returns {number[]} */
  const shifts = () => get("nudge");
  const limit = get("limit");
  const code = numbers(dim);
  kit.share({
    from: { trait: "start", ...code },
    to: { trait: "end", ...code },
    t: { trait: "t", ...between(0, 1, 2) },
    nudge: { trait: "nudge", ...numbers(chosen.length) },
  });
  const at = (/** @type {number} */ t) => {
    const z = spherical(get("start"), get("end"), t);
    chosen.forEach((k, i) => (z[k] += shifts()[i]));
    return z;
  };

  // Where the reader stands, large; and the whole way, small.
  const large = picture(decoder.shape, { role: "img", "aria-label": "The image at this point of the walk" });
  const film = scrubber({
    count: STEPS + 1,
    fps: FPS,
    name: "Along the walk",
    signal,
    format: (k) => `${Math.round((100 * k) / STEPS)}%`,
    onFrame: (k) => put({ t: +(k / STEPS).toFixed(4) }),
  });
  /** @param {string} trait @param {string} words */
  const renew = (trait, words) =>
    button(words, () => {
      kit.glideTo(trait, sampleNormal(dim, REACH));
      kit.say(`${words}, sampled from the prior`);
    });
  const reset = button("Reset", () => {
    film.pause();
    const home = get("home");
    for (const trait of ["start", "end", "t"]) kit.glideTo(trait, home[trait]);
    kit.glideTo(
      "nudge",
      chosen.map(() => 0),
    );
    kit.say("Walk reset");
  });
  const lead = h(
    "p",
    { class: "aae-lead" },
    "Both ends are samples of the prior. The sliders below shift one coordinate for the whole walk.",
  );
  const rows = chosen.map((k, i) =>
    slider({
      label: coordinate(k),
      name: `coordinate ${k + 1}, shift`,
      min: -limit,
      max: limit,
      step: 0.1,
      format: (value) => (value > 0 ? "+" : "") + figure(value, 1),
      onInput: (value) => put({ nudge: shifts().map((old, j) => (j === i ? value : old)) }),
    }),
  );
  const panel = h(
    "div",
    { class: "aae-panel", role: "group", "aria-label": "Single coordinates" },
    ...rows.map((row) => row.el),
  );
  const tools = kit.tools(() => [way?.canvases ?? []]);
  root.append(
    h("div", { class: "aae-stage aae-walk" }, large.el, film.el),
    h(
      "div",
      { class: "aae-bar" },
      h("div", { class: "aae-tools" }, renew("start", "New start"), renew("end", "New end"), reset),
      lead,
    ),
    panel,
    tools,
  );

  /** @type {Strip | null} */
  let way = null;
  let stale = true; // the strip changes with the ends and the shifts, not with the place on the way
  const lay = () => {
    const count = root.clientWidth < 720 ? 5 : 9;
    if (way?.values.length === count) return;
    way?.el.remove();
    film.el.style.setProperty("--count", String(count));
    way = strip({
      values: spread(0, 1, count),
      shape: decoder.shape,
      name: "way",
      format: (t) => `${Math.round(100 * t)}%`,
      onPick: (t) => {
        film.pause();
        kit.glideTo("t", t);
      },
    });
    film.range.before(way.el);
    way.mark(get("t"));
    stale = true;
    kit.redraw();
  };
  const resized = new ResizeObserver(lay);
  resized.observe(root);
  signal.addEventListener("abort", () => resized.disconnect());

  const place = () => {
    film.set(get("t") * STEPS);
    way?.mark(get("t"));
    kit.redraw();
  };
  const change = () => {
    rows.forEach((row, i) => row.set(shifts()[i]));
    stale = true;
    kit.redraw();
  };
  kit.on("t", place);
  kit.on("start end nudge", change);
  lay();
  place();
  change();
  return {
    draw: () => {
      large.paint(decoder.decode([at(get("t"))]), theme);
      if (stale && way) way.paint(decoder.decode(way.values.map(at)), theme);
      stale = false;
    },
    repaint: () => [large, way].forEach((one) => one?.repaint(theme)),
  };
});

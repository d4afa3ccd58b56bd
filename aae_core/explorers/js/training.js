// A recorded training run: codes flow to the prior over the discriminator's field, and the digits beside them come
// into focus.

import { button } from "./controls.js";
import { picture } from "./digits.js";
import { h } from "./dom.js";
import { explorer } from "./explorer.js";
import { readCodes, readField, readImages } from "./packed.js";
import { CERTAIN, pad } from "./pad.js";
import { frameScrubber } from "./scrubber.js";
import { whole } from "./state.js";

const FPS = 7;
/** @type {[string, string, number][]} */
const READINGS = [
  ["error", "Squared error", 4],
  ["distance", "Distance to prior", 3],
  ["discrimination", "Loss of D", 3],
];

export default explorer((kit) => {
  const { root, theme, get, put, signal } = kit;
  const about = get("about");
  /** @type {number[]} */
  const steps = get("steps");
  const readings = get("readings");
  const codes = readCodes(about.codes, get("codes"));
  const field = readField(about.field, get("field"));
  const prior = readField(about.prior, get("prior"));
  const images = readImages(about.images, get("images"));
  const last = steps.length - 1;
  kit.share({ frame: { trait: "frame", ...whole(0, last) }, digit: { trait: "label", ...whole(0, 9) } });

  const { limit } = about;
  const plane = pad({ extent: [-limit, limit, -limit, limit], name: "Codes of held-out digits", theme, signal });
  plane.contours({ width: prior.width, height: prior.height, values: prior.frame(0) }, about.levels);

  const words = (/** @type {number} */ k) => `step ${steps[k].toLocaleString("en")}`;
  const film = frameScrubber(kit, {
    count: steps.length,
    fps: FPS,
    name: "Training step",
    format: words,
    show: () => show(),
  });

  // Ten digits, each above what the autoencoder makes of it; each column picks its digit's codes.
  const digits = [...new Set(codes.labels ?? [])].sort((a, b) => a - b);
  const column = (/** @type {number} */ digit) => {
    const shape = images.shape;
    const [real, rebuilt] = ["held-out", "rebuilt"].map((word) =>
      picture(shape, { role: "img", "aria-label": `${word} ${digit}` }),
    );
    const el = h(
      "button",
      { type: "button", class: "aae-column", "aria-pressed": "false", "aria-label": `${digit}: show its codes alone` },
      real.el,
      rebuilt.el,
      h("span", { class: "aae-dot", style: `--dot: var(--aae-digit-${digit})` }),
      h("span", { class: "aae-name" }, String(digit)),
    );
    el.addEventListener("click", () => {
      put({ label: get("label") === digit ? null : digit });
      kit.say(get("label") === null ? "All digits" : `Only the codes of ${digit}`);
    });
    return { digit, el, real, rebuilt };
  };
  const columns = digits.map(column);
  const grid = h("div", {
    class: "aae-digits",
    role: "group",
    "aria-label": "Held-out digits and what is rebuilt of them",
  });
  grid.append(...columns.map(({ el }) => el));
  grid.addEventListener("keydown", ({ key: pressed }) => {
    if (pressed === "Escape" && get("label") !== null) put({ label: null });
  });

  const values = READINGS.map(() => h("dd"));
  const list = h(
    "dl",
    { class: "aae-readings" },
    ...READINGS.map(([, name], k) => h("div", {}, h("dt", {}, name), values[k])),
  );
  const key = h(
    "p",
    { class: "aae-lead" },
    "Lines: half and nine tenths of the prior. Shade: ",
    h("span", { class: "aae-says-prior" }, "D says prior"),
    ", ",
    h("span", { class: "aae-says-code" }, "D says code"),
    ", none where it cannot tell.",
  );
  const reset = button(
    "Reset",
    () => {
      film.pause();
      put({ frame: get("start"), label: null });
      kit.say("Reset");
    },
    "quiet",
  );
  const tools = kit.tools(() => [
    [plane.canvas],
    columns.map(({ real }) => real.el),
    columns.map(({ rebuilt }) => rebuilt.el),
  ]);
  tools.prepend(reset);
  root.append(
    h("div", { class: "aae-run" }, plane.el, film.el, h("div", { class: "aae-beside" }, grid, list, key)),
    tools,
  );

  const show = () => {
    const at = film.at();
    const { width, height } = field;
    plane.field({ width, height, values: field.frame(at) }, CERTAIN);
    plane.points(codes.frame(at), codes.labels, { only: get("label"), radius: 2 });
    const reading = readings[Math.round(at)];
    values.forEach((dd, k) => (dd.textContent = reading[READINGS[k][0]].toFixed(READINGS[k][2])));
    kit.redraw();
  };
  const size = images.size / images.count;
  const draw = () => {
    const pixels = images.frame(1 + Math.round(film.at()));
    columns.forEach(({ rebuilt }, k) => rebuilt.paint(pixels, theme, k * size));
  };
  columns.forEach(({ real }, k) => real.paint(images.frame(0), theme, k * size));
  const mark = () => {
    columns.forEach(({ digit, el }) => el.setAttribute("aria-pressed", String(digit === get("label"))));
    show();
  };
  kit.on("label", mark);
  mark();
  return {
    draw,
    repaint: () => {
      plane.repaint();
      columns.forEach(({ real, rebuilt }) => [real, rebuilt].forEach((one) => one.repaint(theme)));
    },
  };
});

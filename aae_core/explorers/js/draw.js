// Write a digit: the page makes of it what MNIST would have, its encoder reads the style, and its decoder writes all
// digits in it. What is encoded is the reader's drawing, or one of our images in its place. Or write a letter, which is
// made into an image as the set of letters has them; then fonts whose styles are near are named.

import { chanceBars } from "./chances.js";
import { button } from "./controls.js";
import { bytes } from "./decoder.js";
import { h } from "./dom.js";
import { unpackedEncoder } from "./encoder.js";
import { explorerOfTwo } from "./explorer.js";
import { wantsStillness } from "./motion.js";
import { readImages } from "./packed.js";
import { strip } from "./strip.js";
import { styleView } from "./styles.js";
import { writing, writingFields } from "./writing.js";

/** @import { Shape } from "./decoder.js" */

/** @type {Shape} */
const SHAPE = [1, 28, 28];

export default explorerOfTwo(unpackedEncoder, (kit, encode) => {
  const { model, root, theme, get, put } = kit;
  /** @type {string[]} */
  const names = get("names");
  const isLetter = Boolean(get("letters"));
  const thing = isLetter ? "letter" : "digit";
  /** @type {number[]} */
  const labels = get("example_labels");
  const images = readImages({ frames: labels.length, count: 1, shape: SHAPE, bits: 8 }, get("examples"));
  const nameOf = (/** @type {number} */ k) => names[labels[k]] || String(labels[k]);
  /** @type {ReturnType<typeof encode> | null} */
  let found = null; // what the encoder says of what it sees; null of an empty paper
  const view = styleView(kit, {
    lead: () =>
      `All in ${!found ? "one" : get("example") === null ? "your" : "this"} ${isLetter ? "style" : "hand"}.${near()}`,
    fields: writingFields(labels.length),
  });

  // The fonts whose styles are nearest to the one that was read.
  const places = isLetter ? new Float32Array(bytes(get("places")).buffer) : null;
  const near = () => {
    if (!found || !places) return "";
    const { code } = found;
    const gaps = get("fonts").map((/** @type {string} */ name, /** @type {number} */ k) => ({
      name,
      gap: code.reduce((sum, value, j) => sum + (value - places[k * code.length + j]) ** 2, 0),
    }));
    gaps.sort((/** @type {{ gap: number }} */ a, /** @type {{ gap: number }} */ b) => a.gap - b.gap);
    const three = gaps.slice(0, 3).map((/** @type {{ name: string }} */ { name }) => name);
    return ` Nearest real fonts: ${three.join(", ")}.`;
  };

  // What the network sees, drawn and read.
  const look = () => {
    const pixels = paper.look();
    found = pixels && encode(pixels);
    bars?.set(found?.chances ?? null);
    view.tell();
  };
  const style = () => found?.code ?? get("start");
  const guess = () => {
    if (!found?.chances) return "";
    return `, most likely ${names[found.chances.indexOf(Math.max(...found.chances))]}`;
  };

  const bars = get("encoder").n_logits ? chanceBars(names, "Which one the network takes it for") : null;
  const paper = writing(kit, {
    name: `Paper to write a ${thing} on`,
    hint: `Write a ${thing} here`,
    shape: SHAPE,
    ours: images.frame,
    isLetter,
    read: (words) => kit.say(`${words}${guess()}`),
  });
  paper.pen.classList.add("aae-pen");
  const ours = strip({
    values: labels.map((_, k) => k),
    shape: SHAPE,
    name: "Try one of ours",
    format: (k) => `held-out ${nameOf(k)}`,
    onPick: (example) => {
      put({ example });
      kit.say(`Style of our ${nameOf(example)} read${guess()}`);
    },
  });
  ours.paint(images.all, theme);
  const reset = button("Reset sliders", () => {
    view.glideTo(style());
    kit.say(found ? "Sliders back at the style that was read" : "Sliders reset");
  });
  const tools = kit.tools(() => [paper.canvases, ...view.canvases()]);
  root.append(
    h(
      "div",
      { class: "aae-draw" },
      paper.el,
      h("div", { class: "aae-seen" }, paper.seen, h("span", { class: "aae-name", "aria-hidden": "true" }, "seen")),
      h(
        "p",
        { class: "aae-lead" },
        isLetter
          ? "Seen as the letters were made: cropped, its longer side scaled to 18 pixels, in the middle of 28 by 28."
          : "Seen as MNIST\u2019s images were made: cropped, scaled into a box of 20 by 20 pixels, its centre of mass in the middle of 28 by 28.",
      ),
      paper.tools,
      paper.pen,
      h(
        "div",
        { class: "aae-ours" },
        h("p", { class: "aae-lead" }, "Or try one of ours, held out in training:"),
        ours.el,
      ),
    ),
    bars?.el ?? "",
    view.stage,
    h("div", { class: "aae-bar" }, h("div", { class: "aae-tools" }, reset, view.back), view.lead),
    view.panel,
    tools,
  );

  const show = () => {
    ours.mark(get("example") ?? NaN);
    look();
  };
  const read = () => {
    show();
    view.glideTo(style());
  };
  kit.on("drawing example", read);
  kit.on("pen", () => (get("example") === null && get("drawing").length ? read() : show()));
  view.begin();
  show();
  if (found && String(get("z")) === String(get("start"))) put({ z: style() });
  return {
    draw: () => {
      if (paper.isStale()) {
        look();
        if (!wantsStillness()) model.set({ z: style() }); // the digits follow the pen
      }
      view.draw();
    },
    repaint: () => [paper, ours, view].forEach((part) => part.repaint(theme)),
  };
});

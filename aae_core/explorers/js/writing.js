// Paper to write on, with its pen, and beside it what the network sees of it: the strokes as an image, or one of ours in its place.

import { button, slider } from "./controls.js";
import { picture } from "./digits.js";
import { h } from "./dom.js";
import { asImage, simplify, strokesField } from "./ink.js";
import { sketch } from "./sketch.js";
import { between, whole } from "./state.js";

/** @import { Kit } from "./explorer.js" */
/** @import { Shape } from "./decoder.js" */
/** @import { Stroke } from "./ink.js" */

const [THIN, BROAD] = [0.03, 0.2]; // pens, as shares of the paper

/** What an address keeps of it. @param {number} count of our images */
export const writingFields = (count) => ({
  ink: { trait: "drawing", ...strokesField },
  pen: { trait: "pen", ...between(THIN, BROAD, 2) },
  ours: { trait: "example", ...whole(0, count - 1) },
});

/**
 * @param {Kit} kit
 * @param {{ name: string, hint: string, shape: Shape, ours: (k: number) => Float32Array, isLetter?: boolean,
 *   read: (words: string) => void }} options ours gives the pixels of one of our images; read says what a stroke has come to
 */
export function writing(kit, { name, hint, shape, ours, isLetter = false, read }) {
  const { get, put, theme, signal } = kit;
  /** @type {Stroke | null} */
  let stroke = null; // the one under way
  let stale = false; // has it grown since the last look?
  /** @returns {Stroke[]} */
  const strokes = () => (stroke ? [...(get("example") === null ? get("drawing") : []), stroke] : get("drawing"));
  const seen = picture(shape, { role: "img", "aria-label": "What the network sees" });
  const paper = sketch({
    name,
    hint,
    theme,
    signal,
    onStroke: (points, done) => {
      stroke = points;
      if (!done) {
        stale = true;
        kit.redraw();
        return;
      }
      stroke = simplify(points);
      const drawing = strokes();
      stroke = null;
      put({ drawing, example: null });
      read(`Stroke ${drawing.length} read`);
    },
  });
  const undo = button("Undo", () => {
    const had = get("example") !== null || get("drawing").length > 0;
    put(get("example") === null ? { drawing: get("drawing").slice(0, -1) } : { example: null });
    kit.say(had ? "Undone" : "Nothing to undo");
  });
  const clear = button("Clear", () => {
    put({ drawing: [], example: null });
    kit.say("Paper cleared");
  });
  const pen = slider({
    label: "pen",
    name: "width of the pen",
    min: THIN,
    max: BROAD,
    step: 0.01,
    format: (width) => `${Math.round(100 * width)}%`,
    onInput: (width) => put({ pen: width }),
  });
  return {
    el: paper.el,
    seen: seen.el,
    canvases: [paper.canvas, seen.el],
    tools: h("div", { class: "aae-tools" }, undo, clear),
    pen: pen.el,
    /** Whether a stroke has grown since the last look. */
    isStale: () => stale,
    /** Draws what lies on the paper, and what the network sees of it: its pixels, or null where the paper is empty. */
    look: () => {
      const example = stroke ? null : get("example");
      const ink = example === null ? strokes() : [];
      const pixels = example === null ? asImage(ink, get("pen"), isLetter) : ours(example);
      seen.paint(pixels, theme);
      paper.set(ink, get("pen"), example === null ? null : seen.el);
      pen.set(get("pen"));
      stale = false;
      return example === null && !ink.length ? null : pixels;
    },
    repaint: () => [paper, seen].forEach((part) => part.repaint(theme)),
  };
}

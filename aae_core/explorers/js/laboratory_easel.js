// The plane of codes, on which the reader may draw a prior: strokes by the pointer, dabs by the keyboard, or a shape to
// begin with.

import { button } from "./controls.js";
import { figure, h } from "./dom.js";
import { pad } from "./pad.js";
import { describePrior, makePrior } from "./priors.js";
import { seeded } from "./random.js";
import { REACH, readStrokes, writeStrokes } from "./strokes.js";

/** @import { Kit } from "./explorer.js" */
/** @import { Points } from "./strokes.js" */

/** @param {number} x @param {number} y @param {number} radius */
const round = (x, y, radius) =>
  Array.from({ length: 33 }, (_, k) => (k * Math.PI) / 16).map((turn) => [
    x + radius * Math.cos(turn),
    y + radius * Math.sin(turn),
  ]);

const EMPTY = "While the plane is empty, the prior is the Gaussian.";
/** @type {Record<string, () => Points[]>} */
const SHAPES = {
  "Two islands": () => [round(-1.8, -0.9, 0.35), round(1.8, 0.9, 0.35)],
  "A ring": () => [round(0, 0, 2.4)],
  "An S": () => [Array.from({ length: 41 }, (_, k) => [2 * Math.sin((k - 20) * 0.235), (20 - k) * 0.13])],
};

/**
 * Returns the `plane`, the `tools` to draw with, and `show()`, which shows the prior that the traits name.
 * @param {Kit} kit
 */
export function easel({ theme, signal, get, put, say }) {
  const plane = pad({ extent: [-REACH, REACH, -REACH, REACH], name: "Codes", theme, onMove, onCancel, signal });
  let place = [0, 0];
  /** @type {Points | null} */
  let stroke = null; // the one under the pen
  const draw = (/** @type {Points[]} */ strokes) => put({ drawing: writeStrokes(strokes) });
  const drawn = () => readStrokes(get("drawing"));
  /** @param {number[]} point @param {boolean} done */
  function onMove(point, done) {
    place = point;
    if (!done) {
      stroke = [...(stroke ?? []), point];
      plane.paths([stroke.flat()]);
    } else if (stroke) {
      const whole = [...stroke, point];
      stroke = null;
      plane.paths(null);
      draw([...drawn(), whole]);
    }
  }
  function onCancel() {
    stroke = null;
    plane.paths(null);
  }
  plane.el.addEventListener("keydown", (event) => {
    if (get("prior") !== "drawn" || (event.key !== " " && event.key !== "Enter")) return;
    event.preventDefault();
    draw([...drawn(), [place]]);
    say(`A dab at ${place.map((value) => figure(value, 1)).join(", ")}`);
  });
  const shapes = Object.entries(SHAPES).map(([name, make]) =>
    button(name, () => {
      draw(make());
      say(`Prior: ${name}`);
    }),
  );
  const undo = button("Undo", () => draw(drawn().slice(0, -1)));
  const clear = button("Clear", () => draw([]));
  const how = "Draw on the plane. By keyboard: arrows move the pen, the space bar leaves a dab. Or begin with a shape:";
  const empty = h("strong", {}, ` ${EMPTY}`);
  const tools = h(
    "div",
    { class: "aae-easel" },
    h("p", { class: "aae-lead" }, how, empty),
    h("div", { class: "aae-tools" }, ...shapes, undo, clear),
  );
  const show = () => {
    const drawing = get("prior") === "drawn";
    tools.hidden = !drawing;
    plane.live(drawing);
    undo.disabled = clear.disabled = !get("drawing");
    empty.hidden = Boolean(get("drawing"));
    if (drawing && !empty.hidden) say(EMPTY);
    const { grid, levels } = describePrior(makePrior(get("prior"), get("drawing")), seeded(3), REACH);
    plane.contours(grid, levels);
  };
  return { plane, tools, show };
}

// One style: all classes drawn in it, a slider for each of its dimensions, and, for a class picked, what each
// dimension does to that one. The style is the trait `z`, the class picked `label`.

import { button, sliderPanel } from "./controls.js";
import { makeDecoder } from "./decoder.js";
import { h } from "./dom.js";
import { digitPicker } from "./picker.js";
import { numbers, whole } from "./state.js";
import { spread, strip } from "./strip.js";

/** @import { Kit } from "./explorer.js" */
/** @import { Fields } from "./state.js" */
/** @import { Strip } from "./strip.js" */

const BUDGET = 8; // milliseconds a frame may spend on strips, beside the digits' own

/**
 * `lead()` says what all pictures share; `fields` are further ones for the address. Returns elements to place (`stage`,
 * the pictures; `panel`, the sliders; `back`, a button for the bar; `lead`), and
 *
 *   glideTo(z)              goes to a style, until the reader or somebody else sets another
 *   begin()                 shows what the traits say; call it when the elements stand in the page
 *   tell()                  asks `lead` again
 *   canvases()              the pictures in rows, for kit.tools
 *   draw(), repaint()       for the explorer to return
 * @param {Kit} kit
 * @param {{ lead: () => string, fields?: Fields }} options
 */
export function styleView(kit, { lead: allShare, fields = {} }) {
  const { root, theme, get, put } = kit;
  const decoder = makeDecoder(get("decoder"), get("weights"));
  /** @type {string[]} */
  const names = get("names");
  const limit = get("limit");
  const dim = decoder.codeDim;
  kit.share({
    ...fields,
    z: { trait: "z", ...numbers(dim) },
    digit: { trait: "label", ...whole(0, names.length - 1) },
  });

  const glideTo = (/** @type {number[]} */ z) => kit.glideTo("z", z);
  const pick = (/** @type {number | null} */ label) => {
    put({ label });
    kit.say(
      label === null
        ? "All sliders"
        : `One row per dimension, ${names[label] === "" ? "the image" : `the ${names[label]}`}`,
    );
  };

  // One style, one picture per class.
  const picker = digitPicker({
    names,
    shape: decoder.shape,
    label: "Pick one to see what each dimension does to it",
    describe: (name) => (name === "" ? "the image, dimension by dimension" : `${name}, dimension by dimension`),
    onPick: pick,
    onShow: kit.redraw,
  });
  const panel = sliderPanel({ dim, limit, onInput: (z) => put({ z }) });
  const back = button("All sliders", () => pick(null));
  const lead = h("p", { class: "aae-lead", dir: "auto" });

  // The strips: row k sweeps dimension k and holds the others. They are many images, so each frame draws as many
  // rows as fit its budget, and only rows that can be seen.
  /** @type {Strip[]} */
  let strips = [];
  /** @type {Set<number>} */
  let seen = new Set();
  /** @type {Set<number>} */
  const stale = new Set();
  const wake = kit.frames(() => {
    const begun = performance.now();
    for (const k of stale) {
      if (!seen.has(k)) continue;
      if (performance.now() - begun > BUDGET) return true;
      stale.delete(k);
      const codes = strips[k].values.map((value) =>
        get("z").map((/** @type {number} */ old, /** @type {number} */ j) => (j === k ? value : old)),
      );
      strips[k].paint(
        decoder.decode(
          codes,
          codes.map(() => get("label")),
        ),
        theme,
      );
    }
    root.dataset.sweeps = String(1 + Number(root.dataset.sweeps ?? 0));
    return false;
  });
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const k = strips.findIndex((row) => row.el === target);
        if (isIntersecting) seen.add(k);
        else seen.delete(k);
      }
      if (stale.size) wake();
    },
    { rootMargin: "100px" },
  );
  const sweep = () => {
    if (!strips.length) return;
    strips.forEach((row, k) => {
      row.mark(get("z")[k]);
      stale.delete(k); // and to the end of the queue, so that no row waits for ever while a slider moves
      stale.add(k);
    });
    wake();
  };
  const layStrips = (/** @type {number} */ count) => {
    watcher.disconnect();
    strips.forEach((row) => row.el.remove());
    seen = new Set();
    stale.clear();
    panel.el.classList.toggle("aae-swept", count > 0);
    panel.el.style.setProperty("--count", String(count));
    strips = panel.rows.slice(0, count ? dim : 0).map(({ range }, k) => {
      const row = strip({
        values: spread(-limit, limit, count),
        shape: decoder.shape,
        name: `style ${k + 1}`,
        onPick: (value) =>
          glideTo(get("z").map((/** @type {number} */ old, /** @type {number} */ j) => (j === k ? value : old))),
      });
      range.before(row.el);
      watcher.observe(row.el);
      return row;
    });
    sweep();
  };
  const cells = () => (get("label") === null ? 0 : root.clientWidth < 480 ? 5 : root.clientWidth < 600 ? 7 : 9);
  const lay = () => cells() !== (strips[0]?.values.length ?? 0) && layStrips(cells());
  const resized = new ResizeObserver(lay);
  kit.signal.addEventListener("abort", () => {
    watcher.disconnect();
    resized.disconnect();
  });

  const tell = () => {
    lead.textContent =
      get("label") !== null
        ? `Each row sweeps one dimension from \u2212${limit} to ${limit}, the others held. Pick a picture to go there.`
        : names.length > 1
          ? `${allShare()} Pick one to see what each dimension does.`
          : "Pick the picture to see what each dimension does.";
  };
  const showZ = () => {
    panel.set(get("z"));
    sweep();
    kit.redraw();
  };
  const showLabel = () => {
    const label = get("label");
    picker.set(label);
    back.hidden = label === null;
    tell();
    lay();
    sweep();
  };
  const begin = () => {
    resized.observe(root);
    kit.on("z", showZ);
    kit.on("label", showLabel);
    showZ();
    showLabel();
  };
  return {
    stage: h("div", { class: "aae-stage" }, picker.el),
    panel: panel.el,
    back,
    lead,
    dim,
    names,
    glideTo,
    begin,
    tell,
    canvases: () => [picker.canvases(), ...strips.map((row) => row.canvases)],
    draw: () =>
      picker.paint(
        decoder.decode(
          picker.shown().map(() => get("z")),
          picker.shown(),
        ),
        theme,
      ),
    repaint: () => [picker, ...strips].forEach((row) => row.repaint(theme)),
  };
}

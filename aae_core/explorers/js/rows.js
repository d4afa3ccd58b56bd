// One decoded row of a table: what each column says, with a slider for each dimension of the code.

import { button, sliderPanel } from "./controls.js";
import { makeDecoder } from "./decoder.js";
import { picture } from "./digits.js";
import { figure, h } from "./dom.js";
import { explorer } from "./explorer.js";
import { sampleCode } from "./random.js";
import { index, numbers } from "./state.js";

const TICKS = 100; // a bar's pixels

/** @import { Picture } from "./digits.js" */
/** @typedef {{ name: string, at: number, gap: number | null, low?: number, high?: number, categories?: string[] }} Column */

/**
 * What a row says of a column, and how far its bar goes, 0 to 1: of a number its place in the column's range, of a
 * category how much the decoder gives to it.
 * @param {Float32Array} row
 * @param {Column} column
 */
export function read(row, { at, gap, low = 0, high = 1, categories }) {
  const missing = gap !== null && row[gap] > 0.5;
  if (!categories) {
    const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(high - low, 1e-9))));
    return { text: missing ? "missing" : figure(low + row[at] * (high - low), Math.min(digits, 6)), share: row[at] };
  }
  const shares = [...row.subarray(at, at + categories.length)];
  const most = shares.indexOf(Math.max(...shares));
  return missing && row[/** @type {number} */ (gap)] > shares[most]
    ? { text: "missing", share: row[/** @type {number} */ (gap)] }
    : { text: categories[most], share: shares[most] };
}

export default explorer((kit) => {
  const { theme, get, put } = kit;
  const decoder = makeDecoder(get("decoder"), get("weights"));
  /** @type {string[]} */
  const names = get("names");
  const limit = get("limit");
  kit.share({
    z: { trait: "z", ...numbers(decoder.codeDim) },
    class: { trait: "label", ...index(0, names.length - 1) },
  });

  const panel = sliderPanel({ dim: decoder.codeDim, limit, word: "code", onInput: (z) => put({ z }) });
  const select = h(
    "select",
    {
      class: "aae-button aae-select",
      "aria-label": "Class of the row",
      "data-lm-suppress-shortcuts": "true",
      on: { change: () => put({ label: Number(select.value) }) },
    },
    ...names.map((name, k) => h("option", { value: k }, name)),
  );
  const sample = button("Sample", () => {
    kit.glideTo("z", sampleCode(get("draws"), decoder.codeDim, limit));
    kit.say("New row, sampled");
  });
  const reset = button("Reset", () => {
    kit.glideTo("z", Array(decoder.codeDim).fill(0));
    kit.say("Code reset");
  });

  /** @type {{ column: Column, bar: Picture, value: HTMLElement, el: HTMLElement }[]} */
  const rows = get("columns").map((/** @type {Column} */ column) => {
    const bar = picture([1, 1, TICKS], { "aria-hidden": "true" });
    const value = h("span");
    const el = h("div", {}, h("dt", { title: column.name }, column.name), h("dd", {}, value, bar.el));
    return { column, bar, value, el };
  });
  kit.root.append(
    h("div", { class: "aae-stage" }, panel.el),
    h("div", { class: "aae-bar" }, h("div", { class: "aae-tools" }, sample, reset, names.length > 1 ? select : null)),
    h("dl", { class: "aae-row" }, ...rows.map(({ el }) => el)),
    kit.tools(),
  );

  const show = () => {
    panel.set(get("z"));
    select.value = String(get("label"));
    kit.redraw();
  };
  kit.on("z label", show);
  show();
  return {
    draw: () => {
      const row = decoder.decode([get("z")], [get("label")]);
      for (const { column, bar, value } of rows) {
        const { text, share } = read(row, column);
        value.textContent = text;
        bar.paint(
          Float32Array.from({ length: TICKS }, (_, k) => (k < share * TICKS ? 1 : 0.12)),
          theme,
        );
      }
    },
    repaint: () => rows.forEach(({ bar }) => bar.repaint(theme)),
  };
});

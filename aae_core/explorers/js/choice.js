// One of several, as a row of native radio buttons.

import { h, input, uniqueId } from "./dom.js";

/**
 * `label` is what a screen reader calls the row; `items` are {name, content?}, what the reader sees being its name unless
 * `content` says otherwise; `kind` is the class of one; `onPick(k)` runs when one is picked. `set(k)` shows a choice.
 * @param {string} label
 * @param {{ name: string, content?: Node[] }[]} items
 * @param {string} kind
 * @param {(k: number) => void} onPick
 */
export function choice(label, items, kind, onPick) {
  const group = uniqueId();
  const radios = items.map(({ name }, k) =>
    input({ type: "radio", name: group, class: "aae-hidden", "aria-label": name, on: { change: () => onPick(k) } }),
  );
  const face = (/** @type {string} */ name) => [h("span", { "aria-hidden": "true" }, name)];
  const rows = items.map(({ name, content = face(name) }, k) => h("label", { class: kind }, radios[k], ...content));
  const set = (/** @type {number} */ picked) =>
    radios.forEach((radio, k) => {
      radio.checked = k === picked;
      rows[k].classList.toggle("aae-picked", k === picked);
    });
  return { el: h("div", { class: `${kind}s`, role: "radiogroup", "aria-label": label }, ...rows), set };
}

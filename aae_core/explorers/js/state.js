// An explorer's state in the page's address, so that it survives reload and back, and can be sent to a friend:
// #style.z=0.5,-1,0&style.digit=3. Each explorer owns the parts that begin with its name; a heading's anchor and
// other explorers' parts are left alone. A chapter's text may link to such a state as to any heading.

/** @import { Model } from "./explorer.js" */
/** @typedef {{ write: (value: any) => string, read: (text: string) => any }} Field `read` gives undefined for what is none */
/** @typedef {Record<string, Field & { trait: string }>} Fields */

const KEYS = Symbol.for("aae.explorer.names"); // shared by all explorers of a page, whichever bundle they come from

const FARTHEST = 1000; // no code lies beyond, and what a decoder makes of one that does is no picture

/**
 * A field that is a list of n numbers, none of them beyond FARTHEST, kept to two decimals.
 * @param {number} n
 * @returns {Field}
 */
export const numbers = (n) => ({
  write: (/** @type {number[]} */ list) => list.map((value) => +value.toFixed(2)).join(","),
  read: (text) => {
    const list = text.split(",").map((part) => (part.trim() ? Number(part) : NaN));
    return list.length === n && list.every((value) => Math.abs(value) <= FARTHEST) ? list : undefined;
  },
});

/**
 * A field that is a whole number from low to high, or nothing at all.
 * @param {number} low
 * @param {number} high
 * @returns {Field}
 */
export const whole = (low, high) => ({
  write: (value) => (value === null ? "" : String(value)),
  read: (text) => {
    if (text === "") return null;
    const value = Number(text);
    return Number.isInteger(value) && value >= low && value <= high ? value : undefined;
  },
});

/**
 * A field that is always a whole number from low to high.
 * @param {number} low
 * @param {number} high
 * @returns {Field}
 */
export const index = (low, high) => ({ write: String, read: (text) => whole(low, high).read(text) ?? undefined });

/** A seed that a reader may choose. */
export const SEED = index(0, 9999);

/**
 * A field that is one of these texts.
 * @param {string[]} texts
 * @returns {Field}
 */
export const among = (texts) => ({ write: (text) => text, read: (text) => (texts.includes(text) ? text : undefined) });

/**
 * A field that is a number from low to high, kept as it is or to so many decimals.
 * @param {number} low
 * @param {number} high
 * @param {number | null} decimals
 * @returns {Field}
 */
export const between = (low, high, decimals = null) => ({
  write: (/** @type {number} */ value) => String(decimals === null ? value : +value.toFixed(decimals)),
  read: (text) => (text.trim() && Number(text) >= low && Number(text) <= high ? Number(text) : undefined),
});

/** Is this a page of its own? In a notebook the kernel keeps the state, and the address belongs to others. */
function ownsAddress() {
  const { body } = document;
  if (body.dataset.jpThemeLight !== undefined || body.classList.contains("vscode-body")) return false;
  return window.top === window.self && !("google" in globalThis && /** @type {any} */ (globalThis).google.colab);
}

/** @param {Model} model */
function claim(model) {
  const page = /** @type {any} */ (document);
  /** @type {Map<string, Model>} */
  const taken = (page[KEYS] ??= new Map());
  const wanted = model.get("name") || "explorer";
  let key = wanted;
  for (let k = 2; taken.has(key) && taken.get(key) !== model; k++) key = `${wanted}-${k}`;
  taken.set(key, model);
  return key;
}

const parts = () => location.hash.slice(1).split("&").filter(Boolean);

/**
 * Ties traits of `model` to the address. `fields` maps a field's name to {trait, write, read}; a field at its
 * starting value is left out of the address. Returns null in a notebook, else {link(), restored}: the address with
 * this explorer's state alone, and whether the page was opened on such a state.
 * @param {Model} model
 * @param {Fields} fields
 * @param {AbortSignal} signal
 */
export function shareState(model, fields, signal) {
  if (!ownsAddress()) return null;
  const key = claim(model);
  const entries = Object.entries(fields);
  const start = Object.fromEntries(entries.map(([name, field]) => [name, field.write(model.get(field.trait))]));
  const mine = (/** @type {string} */ part) => entries.some(([name]) => part.startsWith(`${key}.${name}=`));
  const current = () =>
    entries
      .map(([name, field]) => [name, field.write(model.get(field.trait))])
      .filter(([name, text]) => text !== start[name])
      .map(([name, text]) => `${key}.${name}=${text}`);
  const address = (/** @type {string[]} */ hash) =>
    location.href.split("#")[0] + (hash.length ? `#${hash.join("&")}` : "");

  const own = () => parts().filter(mine).join("&");

  let timer = 0;
  let known = own();
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    const before = known;
    known = own();
    if (known !== before) return later(); // somebody else changed it: `moved` comes first, if it is to hear of it
    const url = address([...parts().filter((part) => !mine(part)), ...current()]);
    if (url === location.href) return;
    try {
      history.replaceState(history.state, "", url);
      known = own();
    } catch {
      // some browsers ration this, and some refuse it on file://: the explorer works without
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = window.setTimeout(write, 250); // a drag is one entry, not a hundred
  };
  const flush = () => timer && write();

  const read = () => {
    const found = parts().filter(mine);
    for (const [name, field] of entries) {
      const part = found.find((text) => text.startsWith(`${key}.${name}=`));
      const text = part ? part.slice(key.length + name.length + 2).replaceAll(/%2c/gi, ",") : start[name];
      const value = field.read(text);
      if (value !== undefined && field.write(value) !== field.write(model.get(field.trait)))
        model.set(field.trait, value);
    }
    model.save_changes();
    return found.length > 0;
  };
  const moved = () => {
    known = own();
    // A link to a heading leaves the explorers as they are; an address without any anchor is the page as it began.
    if (parts().some(mine) || !location.hash) read();
    else later();
  };

  const restored = parts().some(mine) && read();
  const traits = entries.map(([, field]) => `change:${field.trait}`);
  for (const trait of traits) model.on(trait, later);
  addEventListener("hashchange", moved, { signal });
  addEventListener("pagehide", flush, { signal });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    for (const trait of traits) model.off(trait, later);
  });
  return { link: () => address(current()), restored };
}

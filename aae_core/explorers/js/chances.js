// Class probabilities as bars, each with its number.

import { h } from "./dom.js";

/** A share as a reader takes it in: in whole hundredths, and never all or nothing. @param {number} share */
export const percent = (share) => (share > 0.995 ? ">99%" : share < 0.005 ? "<1%" : `${Math.round(100 * share)}%`);

/**
 * One bar per name. `set(shares)` shows numbers in 0 … 1, null none at all.
 * @param {string[]} names
 * @param {string} label
 */
export function chanceBars(names, label) {
  const bars = names.map(() => h("span", { class: "aae-share", "aria-hidden": "true" }));
  const values = names.map(() => h("bdi", { class: "aae-number", dir: "ltr" }));
  const el = h(
    "ul",
    { class: "aae-chances", "aria-label": label },
    ...names.map((name, k) => h("li", {}, h("span", { class: "aae-name" }, name), bars[k], values[k])),
  );
  el.style.setProperty("--count", String(names.length));
  const set = (/** @type {number[] | null} */ shares) => {
    const best = shares ? shares.indexOf(Math.max(...shares)) : -1;
    bars.forEach((bar, k) => {
      bar.style.setProperty("--share", String(shares ? shares[k] : 0));
      values[k].textContent = shares ? percent(shares[k]) : "\u2013";
      bar.parentElement?.classList.toggle("aae-best", k === best);
    });
  };
  set(null);
  return { el, set };
}

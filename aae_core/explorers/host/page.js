// What a page of the book loads: its widgets come alive as the reader comes near them, and the page is told of each.

import { showWidgets } from "./host.js";

/** @import { View } from "./host.js" */

const tell = (/** @type {View} */ { model }) =>
  document.dispatchEvent(new CustomEvent("aae:view", { detail: { model } }));

document.documentElement.dataset.figures = "live"; // book.js says where this script did not arrive
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => showWidgets(tell));
else showWidgets(tell);

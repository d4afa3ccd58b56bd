// What a page of the book loads: its widgets come alive as the reader comes near them.

import { showWidgets } from "./host.js";

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => showWidgets());
else showWidgets();

// Small repairs to a built page that style sheets cannot make.

// A box that scrolls sideways (long equation, wide table, long line of code) must be reachable by keyboard.
const BOXES = "div.math, span.math, .pst-scrollable-table-container, div.highlight > pre, .aae-scroll";
function markScrollable() {
  for (const box of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(BOXES))) {
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    if (scrolls === box.classList.contains("aae-scrolls")) continue;
    box.classList.toggle("aae-scrolls", scrolls);
    if (scrolls) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.matches(".math") ? "equation, scrolls sideways" : "scrolls sideways");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
}

// The theme's left bar holds the book's title outside of any landmark.
const bar = document.querySelector(".bd-sidebar-primary");
bar?.setAttribute("role", "navigation");
bar?.setAttribute("aria-label", "Book");

// A folded solution is opened for printing, and closed again after.
/** @returns {NodeListOf<HTMLDetailsElement>} */
const folds = () => document.querySelectorAll("main details:not([open])");
/** @type {HTMLDetailsElement[]} */
let opened = [];
addEventListener("beforeprint", () => (opened = [...folds()]).forEach((fold) => (fold.open = true)));
addEventListener("afterprint", () => opened.forEach((fold) => (fold.open = false)));

addEventListener("resize", markScrollable);
addEventListener("load", async () => {
  await /** @type {any} */ (globalThis).MathJax?.startup?.promise;
  await document.fonts.ready;
  markScrollable();
});

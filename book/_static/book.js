// Small repairs to a built page that style sheets cannot make.

// A box that scrolls sideways (long equation, wide table, long line of code) must be reachable by keyboard.
function markScrollable() {
  for (const box of document.querySelectorAll("div.math, .pst-scrollable-table-container, div.highlight > pre, .aae-scroll")) {
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    if (scrolls) {
      box.tabIndex = 0;
      if (!box.hasAttribute("role")) {
        box.setAttribute("role", "region");
        box.setAttribute("aria-label", box.matches(".math") ? "equation, scrolls sideways" : "scrolls sideways");
      }
    } else if (box.getAttribute("aria-label")?.endsWith("scrolls sideways")) {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
}

// A folded solution is opened for printing, and closed again after.
const folds = () => document.querySelectorAll("main details:not([open])");
let opened = [];
addEventListener("beforeprint", () => (opened = [...folds()]).forEach((fold) => (fold.open = true)));
addEventListener("afterprint", () => opened.forEach((fold) => (fold.open = false)));

addEventListener("resize", markScrollable);
addEventListener("load", async () => {
  await globalThis.MathJax?.startup?.promise;
  await document.fonts.ready;
  markScrollable();
});

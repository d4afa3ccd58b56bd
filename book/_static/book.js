// Small repairs to a built page that style sheets cannot make.

// A box that scrolls sideways (long equation, wide table, long line of code) must be reachable by keyboard.
const BOXES = "div.math, span.math, .pst-scrollable-table-container, pre, .cell_output > .output, .aae-scroll";
/** How wide what the box shows is. A formula has words beside it, for screen readers, that count for nothing. @param {HTMLElement} box */
function widthWithin(box) {
  const formula = box.matches("span.math") && box.querySelector("mjx-math");
  return formula ? Math.floor(formula.getBoundingClientRect().width) : box.scrollWidth;
}
/** @param {ParentNode} within */
function markScrollable(within = document) {
  // What is folded has no size, and to ask for it would have the browser lay it out all the same: each box by itself.
  const boxes = [.../** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll(BOXES))].filter(
    (box) => !box.closest("details:not([open]) > :not(summary)"),
  );
  // All are measured before any is changed: a change between two measures has the browser lay out the page anew.
  const scrolling = boxes.map((box) => box.clientWidth > 0 && widthWithin(box) > box.clientWidth + 1);
  boxes.forEach((box, k) => {
    if (scrolling[k] === box.classList.contains("aae-scrolls")) return;
    box.classList.toggle("aae-scrolls", scrolling[k]);
    if (scrolling[k]) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.matches(".math") ? "equation, scrolls sideways" : "scrolls sideways");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  });
}

// The theme's left bar holds the book's title outside of any landmark.
const bar = document.querySelector(".bd-sidebar-primary");
bar?.setAttribute("role", "navigation");
bar?.setAttribute("aria-label", "Book");

// On paper: the solutions open, the rest as folded as it was, and the light theme's colours.
const root = document.documentElement;
/** @returns {NodeListOf<HTMLDetailsElement>} */
const folds = () => document.querySelectorAll("main details.aae-solution:not([open])");
/** @type {HTMLDetailsElement[]} */
let opened = [];
/** @type {string | undefined} */
let screenTheme;
function toPaper() {
  if (screenTheme !== undefined) return;
  screenTheme = root.dataset.theme ?? "light";
  root.dataset.theme = "light";
  opened = [...folds()];
  for (const fold of opened) fold.open = true;
}
function toScreen() {
  if (screenTheme === undefined) return;
  root.dataset.theme = screenTheme;
  screenTheme = undefined;
  for (const fold of opened) fold.open = false;
}
document.querySelector(".btn-print")?.addEventListener("click", (event) => {
  event.preventDefault();
  print();
});
addEventListener("beforeprint", toPaper);
addEventListener("afterprint", toScreen);
matchMedia("print").addEventListener("change", ({ matches }) => (matches ? toPaper() : toScreen()));

// A theme that is chosen in one tab is that of the others, too.
addEventListener("storage", ({ key, newValue }) => {
  if ((key === "mode" || key === "theme") && newValue) root.dataset[key] = newValue;
});

// Formulas are set when the live figures in view have drawn: to set a chapter's takes as long as all else on the way to them.
const MathJax = /** @type {any} */ (globalThis).MathJax; // its settings alone, where its script did not arrive
const parsed = new Promise((then) => addEventListener("DOMContentLoaded", then));
/** Resolves soon after a frame; a page that is not shown has none. @type {() => Promise<void>} */
const frame = () =>
  new Promise((then) => {
    requestAnimationFrame(() => setTimeout(then, 50));
    setTimeout(then, 500);
  });
async function figuresInView() {
  await parsed;
  await frame(); // by then those in view have begun
  const begins = () => document.querySelector(".aae-live.is-begun:not(:has([data-ready], .aae-failed))");
  for (const end = performance.now() + 4000; begins() && performance.now() < end; ) await frame();
  await frame();
}
if (MathJax?.startup?.promise) {
  const setAll = () => MathJax.typesetPromise();
  MathJax.startup.promise = MathJax.startup.promise.then(figuresInView).then(setAll, setAll);
}

// An address may hold a section and explorers' states, #section&style.digit=3, of which browsers know nothing; and a result
// of the search marks its words, of which the first is what the reader came for. Either is gone to when it has its place,
// unless the reader has gone elsewhere by then.
const [section] = location.hash.slice(1).split("&");
const named = section.includes("=") ? "" : decoded(section);
/** A text as it was before it became part of an address; what never was one has no place here. @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
const fresh = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"))[0];
let waits = fresh?.type !== "reload" && fresh?.type !== "back_forward";
for (const event of ["wheel", "touchstart", "keydown", "pointerdown"])
  addEventListener(event, () => (waits = false), { once: true, passive: true });
function arrive() {
  if (!waits) return;
  const mark = location.hash ? null : document.querySelector(".bd-article .highlighted");
  const fold = mark?.closest("details");
  if (fold) fold.open = true;
  const place = named ? document.getElementById(named) : mark;
  place?.scrollIntoView({ block: named ? "start" : "center", behavior: "instant" });
}

// Where the script that starts live figures did not arrive, each still picture says why it stays one.
addEventListener("load", () => {
  if (root.dataset.figures === "live") return;
  for (const live of document.querySelectorAll(".aae-live")) {
    const textContent =
      "This figure could not start, so its still picture stays: its program did not arrive. Load the page again.";
    live.append(Object.assign(document.createElement("p"), { className: "aae-failed", textContent }));
  }
});

addEventListener("resize", () => markScrollable());
document.addEventListener("toggle", ({ target }) => markScrollable(/** @type {HTMLElement} */ (target)), true);
addEventListener("load", async () => {
  arrive();
  await /** @type {any} */ (globalThis).MathJax?.startup?.promise;
  await document.fonts.ready;
  markScrollable();
  arrive();
  setTimeout(arrive, 500); // what the reader comes near has started by then
});

// A line at the top says how far one has read a long page.
addEventListener("load", () => {
  const text = document.querySelector("article.bd-article");
  if (!text || text.scrollHeight <= 4 * innerHeight) return;
  const line = Object.assign(document.createElement("div"), { className: "aae-read" });
  line.setAttribute("aria-hidden", "true");
  document.body.append(line);
  let waiting = false;
  const draw = () => {
    waiting = false;
    const { top, height } = text.getBoundingClientRect();
    const read = (innerHeight - top) / height; // 1 where the text's end has come into view
    line.style.setProperty("--read", top >= 0 ? "0" : Math.min(1, read).toFixed(4));
  };
  const later = () => {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later, { passive: true });
});

// What a term means, beside it while the pointer or the focus is on it; Escape puts it away.

const box = document.createElement("span");
box.id = "aae-meaning";
box.className = "aae-meaning";
box.setAttribute("role", "tooltip");
box.hidden = true;

/** @type {HTMLElement | null} */
let shown = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let leaving;

/** @param {HTMLElement} term */
function show(term) {
  clearTimeout(leaving);
  if (shown === term) return;
  hide();
  shown = term;
  box.textContent = term.dataset.meaning ?? "";
  box.hidden = false;
  term.after(box); // within the text, so that what is read next is the meaning
  term.setAttribute("aria-describedby", box.id);
  const place = term.getClientRects()[0];
  const width = Math.min(320, document.documentElement.clientWidth - 24);
  box.style.width = `${width}px`;
  box.style.left = `${Math.max(12, Math.min(place.left, document.documentElement.clientWidth - width - 12))}px`;
  const above = place.top - box.offsetHeight - 6;
  box.style.top = `${above > 60 ? above : place.bottom + 6}px`;
}

function hide() {
  clearTimeout(leaving);
  shown?.removeAttribute("aria-describedby");
  shown = null;
  box.hidden = true;
}

const article = document.querySelector(".bd-article");
/** @param {Event} event */
const termOf = (event) =>
  /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("a.aae-term[data-meaning]"));
for (const kind of ["pointerover", "focusin"]) {
  article?.addEventListener(kind, (event) => {
    const term = termOf(event);
    if (term) show(term);
    else if (/** @type {Element} */ (event.target).closest(".aae-meaning")) clearTimeout(leaving);
  });
}
for (const kind of ["pointerout", "focusout"]) {
  article?.addEventListener(kind, () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, 200); // time to reach the box itself
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
addEventListener("scroll", hide, { passive: true });

// The search's page: which sections have the words, the likeliest first, each with the words in their place.
// sections.js brings the sections (book_search.py), MiniSearch ranks them; nothing is asked of a server.

/** @typedef {{ id: number, page: string, title: string, anchor: string, heading: string, text: string }} Section */
/** @typedef {{ id: number, score: number, terms: string[] }} Found */

const [BEFORE, AFTER] = [90, 190]; // characters of an excerpt
const MOST = 40; // results
const NAMES = { alpha: "α", beta: "β", gamma: "γ", eta: "η", lambda: "λ", mu: "μ", sigma: "σ", theta: "θ", phi: "φ" };
const UNSAID = new Set([
  "a",
  "an",
  "and",
  "are",
  "does",
  "for",
  "how",
  "in",
  "is",
  "of",
  "on",
  "or",
  "the",
  "to",
  "what",
]);

/** A word as it is compared: in the singular, without accents, a letter for a letter's name. @param {string} word */
function plain(word) {
  const lower = word
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{Mn}|[’']s$/gu, "");
  if (UNSAID.has(lower)) return null;
  if (Object.hasOwn(NAMES, lower)) return /** @type {Record<string, string>} */ (NAMES)[lower];
  if (lower.length > 4 && lower.endsWith("ies")) return `${lower.slice(0, -3)}y`;
  return lower.length > 3 && /[^siu]s$/.test(lower) ? lower.slice(0, -1) : lower;
}

/** @type {Section[]} */
const sections = /** @type {any} */ (globalThis).aaeSections.map(
  (/** @type {string[]} */ [page, title, anchor, heading, text], /** @type {number} */ id) => ({
    id,
    page,
    title,
    anchor,
    heading,
    text,
  }),
);
const index = new /** @type {any} */ (globalThis).MiniSearch({
  fields: ["heading", "title", "text"],
  processTerm: plain,
  searchOptions: { boost: { heading: 5, title: 1.5 }, combineWith: "AND" },
});
index.addAll(sections);

/** The sections with the words of `query`, best first. @param {string} query @returns {(Section & Found)[]} */
function search(query) {
  const wanted = query.toLowerCase().trim().replace(/\s+/g, " ");
  const boostDocument = (/** @type {number} */ id) => {
    const { page, heading, text } = sections[id];
    // words that stand together count for more than the same words apart; a list of books, questions and summaries come last
    const together = heading.toLowerCase().includes(wanted) ? 3 : text.toLowerCase().includes(wanted) ? 2 : 1;
    return page.endsWith("bibliography.html") || /(Check yourself|Summary)$/.test(heading) ? 0.2 * together : together;
  };
  const exact = index.search(query, { boostDocument });
  const found = exact.length
    ? exact
    : index.search(query, { boostDocument, fuzzy: 0.2, prefix: (/** @type {string} */ word) => word.length > 2 });
  return found.slice(0, MOST).map((/** @type {Found} */ result) => ({ ...sections[result.id], ...result }));
}

/** What of `text` has the words, marked, with what stands around. @param {string} text @param {RegExp} words */
function excerpt(text, words) {
  const first = Math.max(0, text.search(words));
  const begin = first < BEFORE ? 0 : text.lastIndexOf(" ", first - BEFORE) + 1;
  const end = first + AFTER >= text.length ? text.length : text.indexOf(" ", first + AFTER);
  const line = document.createElement("p");
  const shown = `${begin ? "… " : ""}${text.slice(begin, end < 0 ? text.length : end)}${end < text.length && end >= 0 ? " …" : ""}`;
  let from = 0;
  for (const match of shown.matchAll(new RegExp(words, "giu"))) {
    line.append(
      shown.slice(from, match.index),
      Object.assign(document.createElement("mark"), { textContent: match[0] }),
    );
    from = match.index + match[0].length;
  }
  line.append(shown.slice(from));
  return line;
}

/** Has Sphinx's own script mark the words on the page that opens next. @param {string[]} words */
function mark(words) {
  try {
    localStorage.setItem("sphinx_highlight_terms", words.join(" ").toLowerCase());
  } catch {
    // full, or forbidden: the page opens at its section all the same
  }
}

const list = /** @type {HTMLElement} */ (document.querySelector(".aae-results"));
const summary = /** @type {HTMLElement} */ (document.querySelector(".aae-found"));
const base = document.documentElement.dataset.content_root ?? "";
const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=q]")))
  field.value = query;
if (query) {
  const results = search(query);
  const asked = query.split(/[^\p{Letter}\p{Number}]+/u).filter((word) => word && plain(word));
  const found = new Set([...asked, ...results.flatMap(({ terms }) => terms)]);
  const escaped = [...found].map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  escaped.sort((a, b) => b.length - a.length);
  const words = new RegExp(`(?<!\\p{Letter})(?:${escaped.join("|") || "$^"})`, "iu");
  summary.textContent = results.length
    ? `“${query}”: ${results.length === MOST ? `the first ${MOST} places` : results.length === 1 ? "one place" : `${results.length} places`}, the likeliest first`
    : `“${query}” was not found in the book. Try another word, or fewer.`;
  for (const { page, title, anchor, heading, text } of results) {
    const link = document.createElement("a");
    link.href = `${base}${page}${anchor ? `#${anchor}` : ""}`;
    link.textContent = heading || title;
    for (const event of ["click", "auxclick"]) link.addEventListener(event, () => mark(asked));
    const item = document.createElement("li");
    item.append(link);
    if (heading !== title) item.append(Object.assign(document.createElement("span"), { textContent: title }));
    item.append(excerpt(text, words));
    list.append(item);
  }
} else {
  /** @type {HTMLInputElement | null} */ (document.querySelector(".bd-search-container input[name=q]"))?.focus();
}

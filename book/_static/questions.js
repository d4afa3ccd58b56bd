// Questions that answer back, and how far the reader is with them, kept on this device alone (questions.py makes them).

/** @typedef {{ answer: string, right: boolean }} Given */

const KEPT = "aae-answers";
const upwards = document.documentElement.dataset.content_root ?? "./";
/** This page's name, as the build knows it: "notebooks/01-…". */
const here = location.pathname
  .split("/")
  .slice(-upwards.split("../").length)
  .join("/")
  .replace(/\.html$/, "");
/** Which questions each page has. @type {Record<string, string[]>} */
const asked = /** @type {any} */ (globalThis).aaeQuestions ?? {};

/** What was answered, by "page#question". @returns {Record<string, Given>} */
function kept() {
  try {
    const found = Object.entries(JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
    return Object.fromEntries(
      found.filter(([, given]) => typeof given?.answer === "string" && typeof given.right === "boolean"),
    );
  } catch {
    return {}; // of another program, or cut off
  }
}

/** @param {Record<string, Given>} answers */
function keep(answers) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(answers));
  } catch {
    // full, or forbidden: the answer is shown all the same
  }
  showProgress();
}

/** A number as people write it: 0.5, ,5, 1/2, −3, 2e-3; NaN for what is none. @param {string} text */
function numberOf(text) {
  const parts = text.trim().replace(/[−–]/g, "-").replace(",", ".").split("/");
  const numbers = parts.map((part) => (part.trim() ? Number(part) : NaN));
  return numbers.length > 2 ? NaN : numbers.length === 2 ? numbers[0] / numbers[1] : numbers[0];
}

/** Shows what a question says to an answer. @param {HTMLFormElement} form @param {boolean} right @param {string} [words] */
function reply(form, right, words = right ? "Right." : "Not so. The answer is below; read why.") {
  const verdict = /** @type {HTMLElement} */ (form.querySelector(".aae-verdict"));
  verdict.textContent = words;
  form.dataset.state = right ? "right" : "wrong";
  /** @type {HTMLDetailsElement} */ (form.querySelector("details")).open = true;
}

/** @param {HTMLFormElement} form @param {string} answer @param {boolean} right */
function settle(form, answer, right) {
  reply(form, right);
  keep({ ...kept(), [`${here}#${form.id}`]: { answer, right } });
}

/** @param {HTMLFormElement} form */
function check(form) {
  const { kind, right, within } = form.dataset;
  const answer = String(new FormData(form).get(form.id) ?? "");
  const verdict = /** @type {HTMLElement} */ (form.querySelector(".aae-verdict"));
  if (kind === "choice") {
    if (answer) settle(form, answer, answer === right);
    else verdict.textContent = "Choose an answer first.";
  } else {
    const value = numberOf(answer);
    if (Number.isNaN(value)) verdict.textContent = "That is no number. Write one such as 0.25 or 1/4.";
    else settle(form, answer, Math.abs(value - Number(right)) <= Number(within) + 1e-12);
  }
}

/** @type {NodeListOf<HTMLFormElement>} */
const forms = document.querySelectorAll("form.aae-question");
for (const form of forms) {
  const given = kept()[`${here}#${form.id}`];
  if (given) {
    const { answer, right } = given;
    const fields = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input")]);
    for (const field of fields)
      if (field.type !== "radio") field.value = answer;
      else field.checked = field.value === answer;
    reply(form, right, right ? "Answered rightly before." : "Answered before, not rightly.");
    /** @type {HTMLDetailsElement} */ (form.querySelector("details")).open = false;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check(form);
  });
}

// An explorer that begins says so (page.js); the questions that ask for a movement of it look on.
document.addEventListener("aae:view", (event) => {
  const { model } = /** @type {CustomEvent} */ (event).detail;
  for (const form of forms) {
    const { explorer, trait = "", part, from = "-Infinity", to = "Infinity" } = form.dataset;
    if (form.dataset.kind !== "movement" || explorer !== model.get("name")) continue;
    const now = /** @type {HTMLElement} */ (form.querySelector(".aae-now"));
    const name = part === "length" ? `|${trait}|` : part ? `${trait}${Number(part) + 1}` : trait;
    const look = () => {
      const whole = model.get(trait);
      const value = part === "length" ? Math.hypot(...whole) : part ? whole[Number(part)] : whole;
      now.textContent = `Now ${name} = ${+Number(value).toFixed(2)}`.replace("-", "−");
      return value >= Number(from) && value <= Number(to);
    };
    look();
    model.on(`change:${trait}`, () => {
      if (look() && form.dataset.state !== "right") settle(form, "", true);
    });
  }
});

/** The list of chapters with how many questions of each were answered rightly, and a button that forgets them. */
function showProgress() {
  const answers = kept();
  const right = (/** @type {string} */ name) =>
    (asked[name] ?? []).filter((id) => answers[`${name}#${id}`]?.right).length;
  for (const old of document.querySelectorAll(".aae-progress, .aae-forget")) old.remove();
  let sum = 0;
  for (const [name, { length }] of Object.entries(asked)) {
    const count = right(name);
    sum += count;
    if (!count) continue;
    const target = new URL(`${upwards}${name}.html`, location.href).pathname;
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav.bd-links a"))) {
      if (link.pathname !== target) continue;
      const mark = Object.assign(document.createElement("span"), { className: "aae-progress" });
      mark.append(`${count}/${length}`);
      mark.title = `${count} of ${length} questions answered`;
      mark.setAttribute("aria-label", mark.title);
      mark.setAttribute("role", "img");
      link.append(mark);
    }
  }
  if (!Object.keys(answers).length) return;
  const all = Object.values(asked).flat().length;
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Forget my answers" });
  button.addEventListener("click", () => {
    for (const form of forms) {
      form.reset();
      delete form.dataset.state;
      /** @type {HTMLElement} */ (form.querySelector(".aae-verdict")).textContent = "";
      /** @type {HTMLDetailsElement} */ (form.querySelector("details")).open = false;
    }
    keep({});
    farewell.textContent = "Your answers are forgotten.";
  });
  const line = Object.assign(document.createElement("p"), { className: "aae-forget" });
  line.append(`${sum} of ${all} questions answered, kept in this browser alone. `, button);
  document.querySelector("nav.bd-links")?.append(line);
}

const farewell = Object.assign(document.createElement("p"), { className: "aae-said" });
farewell.setAttribute("role", "status");
document.querySelector("nav.bd-links")?.after(farewell);
showProgress();
addEventListener("storage", ({ key }) => key === KEPT && showProgress());

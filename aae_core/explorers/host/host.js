// Starts the anywidgets of a built page: no kernel, no other script, no other host.
// The page holds each widget's state (written by static_widgets.py) and, per widget, an element `.aae-live` with a
// still picture and the id of its model. Here the model is rebuilt, and the widget's own `render` draws beside the
// picture; once it has drawn, style takes the picture away. A widget starts when the reader comes within a screen of it,
// or follows a link to a state of it: what is never looked at is never loaded, and what is looked at first need not wait.

import { makeModel } from "./model.js";

/** @import { Model } from "./model.js" */
/** @typedef {{ $text: string, src: string }} Reference a text that is kept in a file beside the page */
/** @typedef {{ state: Record<string, any>, buffers?: { path: (string | number)[], data: string }[] }} Saved */
/** @typedef {{ model: any, el?: HTMLElement, signal: AbortSignal }} Props */
/** @typedef {{ initialize?: (props: Props) => any, render?: (props: Props) => any }} Widget */
/** @typedef {{ model: Model, el: HTMLElement, life: AbortController }} View */

const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';

/**
 * A text kept in a file beside the page. A script, since file:// allows those.
 * @param {Reference} reference
 * @returns {Promise<string>}
 */
function sharedText({ $text: key, src }) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src });
    script.onload = () => {
      // It also comes here with a page in its place, such as that of a network that asks to log in.
      const text = /** @type {any} */ (globalThis).aaeTexts?.[key];
      if (typeof text === "string") resolve(text);
      else reject(new Error(`${src} is not what was asked for`));
    };
    script.onerror = () => reject(new Error(`${src} could not be read`));
    document.head.append(script);
  });
}

function fromBase64(/** @type {string} */ text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new DataView(bytes.buffer);
}

/**
 * What `make` gives for a key, made once.
 * @template T
 * @param {(key: string) => Promise<T>} make
 */
function once(make) {
  /** @type {Map<string, Promise<T>>} */
  const made = new Map();
  return (/** @type {string} */ key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}

/** A widget's module, from its text. */
const load = once(async (source) => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: widget } = await import(address);
  return /** @type {Widget} */ (typeof widget === "function" ? await widget() : widget);
});

/**
 * Shows the page's widgets, each when the reader comes near it. `onView` is told of a view as it begins; its `life` ends it.
 * @param {(view: View) => void} onView
 */
export function showWidgets(onView = () => {}) {
  /** @type {Record<string, Saved>} */
  const states = {};
  for (const { textContent } of document.querySelectorAll(STATE))
    Object.assign(states, JSON.parse(textContent ?? "").state);

  const read = once((reference) => sharedText(JSON.parse(reference)));
  const modelOf = once(async (id) => {
    const { state, buffers = [] } = states[id];
    const values = { ...state };
    const files = Object.entries(values).filter(([, value]) => value?.$text);
    await Promise.all(files.map(async ([name, value]) => (values[name] = await read(JSON.stringify(value)))));
    for (const { path, data } of buffers) {
      const parent = path.slice(0, -1).reduce((object, key) => object[key], values);
      parent[path[path.length - 1]] = fromBase64(data);
    }
    const model = makeModel(values, { get_model: async (other) => (await modelOf(other)).model });
    const widget = await load(values._esm);
    await widget.initialize?.({ model, signal: new AbortController().signal });
    return { model, widget };
  });

  /** @type {(view: Element) => string} */
  const idOf = (view) => JSON.parse(view.textContent ?? "").model_id;

  /** @param {Element} stage @param {Element} view */
  async function show(stage, view) {
    const el = Object.assign(document.createElement("div"), { className: "aae-widget" });
    try {
      const { model, widget } = await modelOf(idOf(view));
      const [css, id] = [model.get("_css"), `aae-css-${model.get("_anywidget_id")}`];
      if (css && !document.getElementById(id))
        document.head.append(Object.assign(document.createElement("style"), { id, textContent: css }));
      stage.append(el);
      const life = new AbortController();
      onView({ model, el, life });
      await widget.render?.({ model, el, signal: life.signal });
      stage.classList.add("is-live");
    } catch (error) {
      el.className = "aae-failed";
      const reason = error instanceof Error ? error.message : error;
      el.textContent = `This figure could not start, so its still picture stays: ${reason}`;
      stage.append(el);
      console.error(error);
    }
  }

  /** @type {Map<Element, Element>} */
  const waiting = new Map();
  for (const view of document.querySelectorAll(VIEW)) if (view.parentElement) waiting.set(view.parentElement, view);
  const begin = (/** @type {Element} */ stage) => {
    const view = waiting.get(stage);
    if (!view) return;
    waiting.delete(stage);
    nearby.unobserve(stage);
    stage.classList.add("is-begun");
    show(stage, view);
  };
  const nearby = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => begin(entry.target)),
    { rootMargin: "100% 0px" },
  );
  /** The address may hold a state, #name.field=value; the second widget of one name is called name-2. */
  const beginNamed = () => {
    for (const [stage, view] of waiting) {
      const { name } = states[idOf(view)].state;
      if (name && new RegExp(`[#&]${name}(-\\d+)?\\.`).test(location.hash)) begin(stage);
    }
  };
  beginNamed();
  addEventListener("hashchange", beginNamed);
  for (const stage of waiting.keys()) {
    const { top, bottom, width } = stage.getBoundingClientRect();
    // at once: the observer would wait for a frame
    if (width && top < 2 * innerHeight && bottom > -innerHeight) begin(stage);
    else nearby.observe(stage);
  }
}

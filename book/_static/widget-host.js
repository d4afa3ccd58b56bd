// Starts the anywidgets of a built page: no kernel, no other script, no other host.
// The page holds each widget's state (written by static_widgets.py) and, per widget, an element `.aae-live` with a
// still picture and the id of its model. Here the model is rebuilt, and the widget's own `render` draws beside the
// picture; once it has drawn, style takes the picture away. A widget starts when the reader comes within a screen of it,
// or follows a link to a state of it: what is never looked at is never loaded, and what is looked at first need not wait.
(() => {
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';

  /** A text kept in a file beside the page, as {$text: key, src: address}. A script, since file:// allows those. */
  function sharedText({ $text: key, src }) {
    return new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src });
      script.onload = () => resolve(globalThis.aaeTexts[key]);
      script.onerror = () => reject(new Error(`${src} could not be read`));
      document.head.append(script);
    });
  }

  function fromBase64(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new DataView(bytes.buffer);
  }

  /** The part of Jupyter's widget model that anywidgets use: get, set, on, off; nobody listens at the other end. */
  function makeModel(values, manager) {
    const listeners = new Map();
    const fire = (event, ...rest) => [...(listeners.get(event) ?? [])].forEach((listener) => listener(...rest));
    const model = {
      widget_manager: manager,
      get: (name) => values[name],
      set(name, value) {
        const changes = typeof name === "string" ? { [name]: value } : name;
        const changed = Object.keys(changes).filter((key) => values[key] !== changes[key]);
        Object.assign(values, changes);
        changed.forEach((key) => fire(`change:${key}`, model, values[key]));
        if (changed.length) fire("change", model);
      },
      on(events, listener) {
        events.split(" ").forEach((event) => listeners.set(event, [...(listeners.get(event) ?? []), listener]));
      },
      off(event, listener) {
        if (!event) listeners.clear();
        else listeners.set(event, listener ? (listeners.get(event) ?? []).filter((one) => one !== listener) : []);
      },
      save_changes() {},
      send() {},
    };
    return model;
  }

  async function start() {
    const states = {};
    document.querySelectorAll(STATE).forEach((element) => Object.assign(states, JSON.parse(element.textContent).state));

    const texts = new Map();
    const read = (reference) => {
      if (!texts.has(reference.$text)) texts.set(reference.$text, sharedText(reference));
      return texts.get(reference.$text);
    };
    const modules = new Map();
    const load = (source) => {
      if (!modules.has(source)) {
        const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        modules.set(source, import(address).then(({ default: widget }) => (typeof widget === "function" ? widget() : widget)));
      }
      return modules.get(source);
    };
    const models = new Map();
    const manager = { get_model: (id) => modelOf(id) };
    function modelOf(id) {
      if (!models.has(id)) models.set(id, build(id));
      return models.get(id);
    }
    async function build(id) {
      const { state, buffers = [] } = states[id];
      const values = { ...state };
      await Promise.all(
        Object.entries(values).map(async ([name, value]) => {
          if (value?.$text) values[name] = await read(value);
        }),
      );
      for (const { path, data } of buffers) {
        const parent = path.slice(0, -1).reduce((object, key) => object[key], values);
        parent[path.at(-1)] = fromBase64(data);
      }
      const model = makeModel(values, manager);
      const widget = await load(values._esm);
      await widget.initialize?.({ model, signal: new AbortController().signal });
      return Object.assign(model, { widget });
    }

    async function show(view) {
      const stage = view.parentElement;
      const el = document.createElement("div");
      el.className = "aae-widget";
      try {
        const model = await modelOf(JSON.parse(view.textContent).model_id);
        const css = model.get("_css");
        const cssId = `aae-css-${model.get("_anywidget_id")}`;
        if (css && !document.getElementById(cssId)) {
          document.head.append(Object.assign(document.createElement("style"), { id: cssId, textContent: css }));
        }
        stage.append(el);
        await model.widget.render?.({ model, el, signal: new AbortController().signal });
        stage.classList.add("is-live");
      } catch (error) {
        el.className = "aae-failed";
        el.textContent = `This figure could not start, so its still picture stays: ${error.message ?? error}`;
        stage.append(el);
        console.error(error);
      }
    }

    const waiting = new Map([...document.querySelectorAll(VIEW)].map((view) => [view.parentElement, view]));
    const begin = (stage) => {
      const view = waiting.get(stage);
      if (!view) return;
      waiting.delete(stage);
      nearby.unobserve(stage);
      show(view);
    };
    const nearby = new IntersectionObserver(
      (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => begin(entry.target)),
      { rootMargin: "100% 0px" },
    );
    /** The address may hold a state, #name.field=value; the second widget of one name is called name-2. */
    const beginNamed = () => {
      for (const [stage, view] of waiting) {
        const { name } = states[JSON.parse(view.textContent).model_id].state;
        if (name && new RegExp(`[#&]${name}(-\\d+)?\\.`).test(location.hash)) begin(stage);
      }
    };
    beginNamed();
    addEventListener("hashchange", beginNamed);
    for (const stage of waiting.keys()) {
      const { top, bottom, width } = stage.getBoundingClientRect();
      // at once: the observer would wait for a frame, and equations may be typeset before it comes
      if (width && top < 2 * innerHeight && bottom > -innerHeight) begin(stage);
      else nearby.observe(stage);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

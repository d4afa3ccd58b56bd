// The part of Jupyter's widget model that anywidgets use: get, set, on, off. Nobody listens at the other end.

/** @typedef {(...about: any[]) => void} Listener */
/** @typedef {ReturnType<typeof makeModel>} Model */

/**
 * Are the two alike as Jupyter has it: of the same numbers, texts, lists and objects, whoever made them?
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function alike(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b || a.constructor !== b.constructor) return false;
  if (a instanceof DataView)
    return (
      a.byteLength === b.byteLength &&
      Array.from({ length: a.byteLength }).every((_, k) => a.getUint8(k) === b.getUint8(k))
    );
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && alike(a[key], b[key]));
}

/**
 * `values` are the traits' to begin with; `widget_manager` is what finds a model by its id. A trait that is set to what
 * is alike does not change; `listeners` are those of each event.
 * @param {Record<string, any>} values
 * @param {{ get_model: (id: string) => Promise<any> }} widget_manager
 */
export function makeModel(values, widget_manager) {
  /** @type {Map<string, Listener[]>} */
  const listeners = new Map();
  /** @param {string} event @param {any[]} about */
  const fire = (event, ...about) => [...(listeners.get(event) ?? [])].forEach((listener) => listener(...about));
  const model = {
    widget_manager,
    listeners,
    get: (/** @type {string} */ name) => values[name],
    /** @param {string | Record<string, any>} name @param {any} [value] */
    set(name, value) {
      const changes = typeof name === "string" ? { [name]: value } : name;
      const changed = Object.keys(changes).filter((key) => !alike(values[key], changes[key]));
      Object.assign(values, changes);
      changed.forEach((key) => fire(`change:${key}`, model, values[key]));
      if (changed.length) fire("change", model);
    },
    /** @param {string} events @param {Listener} listener */
    on(events, listener) {
      events.split(" ").forEach((event) => listeners.set(event, [...(listeners.get(event) ?? []), listener]));
    },
    /** @param {string} [event] @param {Listener} [listener] */
    off(event, listener) {
      if (!event) listeners.clear();
      else listeners.set(event, listener ? (listeners.get(event) ?? []).filter((one) => one !== listener) : []);
    },
    save_changes() {},
    send() {},
  };
  return model;
}

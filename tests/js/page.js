// As little of a page as modules that draw need to be asked what they drew: elements that know their attributes, and
// canvases that keep what was called on them.

class Element extends EventTarget {
  attributes = {};
  children = [];
  clientWidth = 0;
  clientHeight = 0;
  style = { setProperty: (name, value) => (this.style[name] = value) };
  calls = [];
  classes = new Set();
  classList = {
    add: (name) => this.classes.add(name),
    toggle: (name, on) => (on ? this.classes.add(name) : this.classes.delete(name)),
  };

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  append(...children) {
    for (const child of children) if (child instanceof Element) child.parentElement = this;
    this.children.push(...children);
  }

  getContext() {
    const call =
      (name) =>
      (...about) =>
        this.calls.push([name, ...about]);
    return new Proxy({}, { get: (_, name) => call(name), set: () => true });
  }
}

/** Puts the page into the global scope; `resize(width, height)` is what happens to its elements, `frame()` draws. */
export function setUp() {
  const observed = [];
  const frames = [];
  Object.assign(globalThis, {
    document: { createElement: () => new Element() },
    devicePixelRatio: 2,
    requestAnimationFrame: (f) => frames.push(f),
    cancelAnimationFrame: (k) => delete frames[k - 1],
    ResizeObserver: class {
      constructor(f) {
        this.f = f;
      }
      observe(el) {
        observed.push({ el, f: this.f });
      }
      disconnect() {
        observed.length = 0;
      }
    },
  });
  return {
    observed,
    frame: () => frames.splice(0).forEach((f) => f?.()),
    resize: (clientWidth, clientHeight) =>
      observed.forEach(({ el, f }) => {
        Object.assign(el, { clientWidth, clientHeight });
        f();
      }),
  };
}

// What every explorer is built on. An explorer is `export default explorer(setup)`; `setup(kit)` builds its elements
// under `kit.root` and returns {draw, repaint?}. The kit does the rest:
//
//   kit.model             the widget's model; kit.get(trait) and kit.put({trait: value, …}) read and write it
//   kit.root              the explorer's element, labelled with the `title` trait
//   kit.theme             the page's colours, kept current (theme.js)
//   kit.signal            aborted when the view goes: pass it to addEventListener
//   kit.on(traits, f)     runs f whenever one of the traits changes, from here, another view or the kernel
//   kit.redraw()          asks for draw() in the next frame; however often it is asked, it draws once
//   kit.glideTo(trait, value, {ms?, from?, via?})  moves a number or a list of numbers there (motion.js), until somebody
//                         else sets the trait or kit.still(trait) stops it; from another list of numbers through `via`
//   kit.frames(f)         an endless loop of frames while f() returns true; returns a function that wakes it up
//   kit.say(text)         tells a screen reader what a discrete action has done
//   kit.share(fields)     state in the address (state.js); kit.tools(rows?) the buttons that copy a link and save a picture
//
// root.dataset.ready: there is a first picture; .draws: pictures so far.

import { button } from "./controls.js";
import { announcer, h } from "./dom.js";
import { glide } from "./motion.js";
import { copyText, savePicture } from "./save.js";
import { shareState } from "./state.js";
import { watchTheme } from "./theme.js";

/** @import { Placed } from "./save.js" */
/** @import { Fields } from "./state.js" */
/**
 * @typedef {{
 *   get: (trait: string) => any,
 *   set: { (traits: Record<string, any>): void, (trait: string, value: any): void },
 *   save_changes: () => void,
 *   on: (event: string, listener: () => void) => void,
 *   off: (event: string, listener: () => void) => void,
 * }} Model the part of Jupyter's widget model that explorers use
 * @typedef {{ draw: () => void, repaint?: () => void }} Made
 * @typedef {{ ms?: number, from?: number[], via?: (now: number[]) => any }} Way
 * @typedef {ReturnType<typeof makeKit>} Kit
 */

/**
 * @param {Model} model
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 * @param {{ say: (text: string) => void, redraw: () => void, repaint: () => void }} view
 */
function makeKit(model, root, signal, { say, redraw, repaint }) {
  const theme = watchTheme(root, repaint, signal);
  /** @type {ReturnType<typeof shareState>} */
  let shared = null;
  /** @type {Map<string, () => void>} */
  const glides = new Map(); // what ends those that are under way, by trait
  const get = (/** @type {string} */ trait) => model.get(trait);
  const put = (/** @type {Record<string, any>} */ traits) => {
    model.set(traits);
    model.save_changes();
  };
  /** @param {string} traits @param {() => void} f */
  const on = (traits, f) => {
    for (const event of traits.split(" ").map((trait) => `change:${trait}`)) {
      model.on(event, f);
      signal.addEventListener("abort", () => model.off(event, f));
    }
  };
  const still = (/** @type {string} */ trait) => glides.get(trait)?.();
  /** @param {string} trait @param {number | number[]} value @param {Way} way */
  const glideTo = (
    trait,
    value,
    { ms, from = [get(trait)].flat(), via = (now) => (Array.isArray(value) ? now : now[0]) } = {},
  ) => {
    still(trait);
    let own = false; // is it the glide that sets the trait just now?
    const heed = () => own || end();
    model.on(`change:${trait}`, heed);
    let stop = () => {};
    const end = () => {
      stop();
      model.off(`change:${trait}`, heed);
      glides.delete(trait);
    };
    glides.set(trait, end);
    stop = glide(
      from,
      [value].flat(),
      (now, done) => {
        own = true;
        const change = { [trait]: via(now) };
        if (done) put(change);
        else model.set(change);
        own = false;
        if (done) end();
      },
      ms,
    );
  };
  /** @param {() => boolean} f */
  const frames = (f) => {
    let running = 0;
    const step = () => {
      running = f() ? requestAnimationFrame(step) : 0;
    };
    signal.addEventListener("abort", () => cancelAnimationFrame(running));
    return () => (running ||= requestAnimationFrame(step));
  };
  const share = (/** @type {Fields} */ fields) => (shared = shareState(model, fields, signal));
  /** @param {() => Placed[][]} [rows] */
  const tools = (rows) => {
    const copy = async () => {
      link.textContent = (await copyText(shared?.link() ?? "")) ? "Link copied" : "Copying failed";
      say(link.textContent);
      setTimeout(() => (link.textContent = "Copy link"), 2000);
    };
    const link = button("Copy link", copy, "quiet");
    const save = async () => {
      if (rows) await savePicture({ rows: rows(), name: get("name"), theme });
      say("Picture saved");
    };
    return h("div", { class: "aae-tools" }, shared && link, rows && button("Save picture", save, "quiet"));
  };
  signal.addEventListener("abort", () => [...glides.values()].forEach((end) => end()));
  return {
    model,
    root,
    theme,
    signal,
    say,
    redraw,
    get,
    put,
    on,
    still,
    glideTo,
    frames,
    share,
    tools,
    restored: () => shared?.restored,
  };
}

/**
 * @typedef {{ model: Model, el: HTMLElement, signal?: AbortSignal }} Props
 * @param {(kit: Kit) => Made} setup
 * @param {Props} props
 */
function render(setup, { model, el, signal }) {
  const life = new AbortController();
  const root = h("div", { class: "aae-explorer", role: "group", "aria-label": model.get("title") });
  const live = announcer();
  el.append(root);

  /** @type {Made | null} */
  let made = null;
  let frame = 0;
  const draw = () => {
    frame = 0;
    made?.draw();
    root.dataset.draws = String(1 + Number(root.dataset.draws ?? 0));
  };
  const redraw = () => {
    if (made) frame ||= requestAnimationFrame(draw);
  };
  const kit = makeKit(model, root, life.signal, { say: live.say, redraw, repaint: () => (made?.repaint ?? redraw)() });
  const end = () => {
    cancelAnimationFrame(frame);
    live.stop();
    life.abort();
    root.remove();
  };
  signal?.addEventListener("abort", end, { once: true });

  made = setup(kit);
  root.append(live.el);
  draw(); // now, not in the next frame: a page in the background has no frames
  root.dataset.ready = "";
  const [opened] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  // an address that names a section too leads there; the page sees to it
  const section = location.hash
    .slice(1)
    .split("&")
    .some((part) => part && !part.includes("="));
  if (kit.restored() && opened?.type === "navigate" && !section) root.scrollIntoView({ block: "nearest" });
  return end;
}

/**
 * An anywidget whose view is what `setup` builds.
 * @param {(kit: Kit) => Made} setup
 */
export const explorer = (setup) => ({ render: (/** @type {Props} */ props) => render(setup, props) });

/**
 * The same, of two networks: `first` unpacks one of them and `setup` is given it in a task of its own, so that a page which is
 * scrolled just then can move between the two.
 * @template T
 * @param {(get: (trait: string) => any) => T} first
 * @param {(kit: Kit, unpacked: T) => Made} setup
 */
export const explorerOfTwo = (first, setup) => ({
  render: async (/** @type {Props} */ props) => {
    const unpacked = first((trait) => props.model.get(trait));
    await new Promise((next) => setTimeout(next));
    return props.signal?.aborted ? undefined : render((kit) => setup(kit, unpacked), props);
  },
});

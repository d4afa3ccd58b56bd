// What every explorer is built on. An explorer is `export default explorer(setup)`; `setup(kit)` builds its elements
// under `kit.root` and returns {draw, repaint?}. The kit does the rest:
//
//   kit.model             the widget's model; kit.get(trait) and kit.put({trait: value, …}) read and write it
//   kit.root              the explorer's element, labelled with the `title` trait
//   kit.theme             the page's colours, kept current (theme.js)
//   kit.signal            aborted when the view goes: pass it to addEventListener
//   kit.on(traits, f)     runs f whenever one of the traits changes, from here, another view or the kernel
//   kit.redraw()          asks for draw() in the next frame; however often it is asked, it draws once
//   kit.glideTo(trait, value, ms?)  moves a number or a list of numbers there (motion.js); kit.still(trait) stops it
//   kit.frames(f)         an endless loop of frames while f() returns true; returns a function that wakes it up
//   kit.say(text)         tells a screen reader what a discrete action has done
//   kit.share(fields)     state in the address (state.js); kit.tools() the buttons that copy a link and save a picture
//
// root.dataset.ready: milliseconds from the start of render to the first picture; .draws: pictures since; .ms: the last.

import { button } from "./controls.js";
import { announcer, h } from "./dom.js";
import { glide } from "./motion.js";
import { copyText, savePicture } from "./save.js";
import { shareState } from "./state.js";
import { watchTheme } from "./theme.js";

function render(setup, { model, el, signal }) {
  const start = performance.now();
  const life = new AbortController();
  const root = h("div", { class: "aae-explorer", role: "group", "aria-label": model.get("title") });
  const live = announcer();
  el.append(root);

  let made = null;
  let frame = 0;
  const draw = () => {
    frame = 0;
    const begun = performance.now();
    made.draw();
    root.dataset.ms = (performance.now() - begun).toFixed(2);
    root.dataset.draws = 1 + Number(root.dataset.draws ?? 0);
  };
  const redraw = () => {
    if (made) frame ||= requestAnimationFrame(draw);
  };
  const theme = watchTheme(root, () => (made.repaint ?? redraw)(), life.signal);
  let shared = null;
  const glides = {}; // what ends those that are under way, by trait
  life.signal.addEventListener("abort", () => Object.values(glides).forEach((stop) => stop()));
  const kit = {
    model, root, theme, redraw,
    signal: life.signal,
    say: live.say,
    get: (trait) => model.get(trait),
    put: (traits) => {
      model.set(traits);
      model.save_changes();
    },
    on: (traits, f) => {
      for (const event of traits.split(" ").map((trait) => `change:${trait}`)) {
        model.on(event, f);
        life.signal.addEventListener("abort", () => model.off(event, f));
      }
    },
    still: (trait) => glides[trait]?.(),
    glideTo: (trait, value, ms) => {
      kit.still(trait);
      const apply = (now, done) => {
        const change = { [trait]: Array.isArray(value) ? now : now[0] };
        if (done) kit.put(change);
        else model.set(change);
      };
      glides[trait] = glide([model.get(trait)].flat(), [value].flat(), apply, ms);
    },
    frames: (f) => {
      let running = 0;
      const step = () => {
        running = f() ? requestAnimationFrame(step) : 0;
      };
      life.signal.addEventListener("abort", () => cancelAnimationFrame(running));
      return () => (running ||= requestAnimationFrame(step));
    },
    share: (fields) => (shared = shareState(model, fields, life.signal)),
    tools: (rows) => {
      const copy = async () => {
        const done = await copyText(shared.link());
        link.textContent = done ? "Link copied" : "Copying failed";
        live.say(link.textContent);
        setTimeout(() => (link.textContent = "Copy link"), 2000);
      };
      const save = async () => {
        await savePicture({ rows: rows(), name: model.get("name"), theme });
        live.say("Picture saved");
      };
      const link = shared && button("Copy link", copy, "quiet");
      return h("div", { class: "aae-tools" }, link, button("Save picture", save, "quiet"));
    },
  };

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
  root.dataset.ready = (performance.now() - start).toFixed(1);
  const opened = performance.getEntriesByType("navigation")[0]?.type;
  if (shared?.restored && opened === "navigate") root.scrollIntoView({ block: "nearest" });
  return end;
}

/** An anywidget whose view is what `setup` builds. */
export const explorer = (setup) => ({ render: (props) => render(setup, props) });

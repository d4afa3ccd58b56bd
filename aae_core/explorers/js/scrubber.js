// Play, pause and scrub through the frames of a recording.

import { playButton, slider } from "./controls.js";
import { wantsStillness } from "./motion.js";

/**
 * A play button and a slider over frames 0 … count - 1. `onFrame(t)` runs with the frame to show, a fraction between
 * two while it plays (whole ones where the reader wants less motion); `format(t)` says in words where it is, such as
 * "step 1,200". It stops at the end, and played again begins anew. `set(t)` goes to a frame without calling `onFrame`.
 * @param {{
 *   count: number, fps?: number, name: string, signal: AbortSignal,
 *   format: (t: number) => string, onFrame: (t: number) => void,
 * }} options
 */
export function scrubber({ count, fps = 12, name, format, onFrame, signal }) {
  let at = 0;
  let running = 0;
  let last = 0;
  const bar = slider({
    label: "",
    name,
    min: 0,
    max: count - 1,
    step: 1,
    format: (t) => format(Math.round(t)),
    onInput: (t) => {
      pause();
      go(t);
    },
  });
  bar.el.classList.add("aae-scrubber");
  const set = (/** @type {number} */ t) => {
    at = t;
    bar.set(t);
  };
  const go = (/** @type {number} */ t) => {
    set(t);
    onFrame(wantsStillness() ? Math.floor(t) : t);
  };
  const face = () => toggle.set(Boolean(running));
  const step = (/** @type {number} */ now) => {
    // A frame may carry a time from before the click that began it.
    const next = at + (Math.max(0, Math.min(100, now - last)) / 1000) * fps;
    last = now;
    running = next < count - 1 ? requestAnimationFrame(step) : 0;
    go(Math.min(count - 1, next));
    if (!running) face();
  };
  const play = () => {
    if (running) return;
    if (at >= count - 1) set(0);
    last = performance.now();
    running = requestAnimationFrame(step);
    face();
  };
  const pause = () => {
    cancelAnimationFrame(running);
    running = 0;
    face();
  };
  const toggle = playButton(() => (running ? pause() : play()));
  bar.el.firstElementChild?.replaceWith(toggle.el);
  signal.addEventListener("abort", () => cancelAnimationFrame(running));
  face();
  set(0);
  return { el: bar.el, range: bar.range, set, play, pause };
}

/**
 * A scrubber of the trait `frame`. While it plays it stands between two frames, at `at()`; what moves the trait from elsewhere,
 * another view, a link or the kernel, moves it too. `show` runs for each place.
 * @param {import("./explorer.js").Kit} kit
 * @param {{ count: number, fps?: number, name: string, format: (t: number) => string, show: () => void }} options
 */
export function frameScrubber({ get, put, on, signal }, { show, ...options }) {
  let at = get("frame");
  const film = scrubber({
    ...options,
    signal,
    onFrame: (t) => {
      at = t;
      if (Math.floor(t) !== get("frame")) put({ frame: Math.floor(t) });
      else show();
    },
  });
  on("frame", () => {
    if (Math.floor(at) !== get("frame")) at = get("frame");
    film.set(at);
    show();
  });
  film.set(at);
  return { ...film, at: () => at };
}

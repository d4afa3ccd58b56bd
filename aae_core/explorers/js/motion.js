// Moving from one code to another, for readers who like motion.

/** Has the reader asked the system for less motion? */
export const wantsStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Calls `apply(code, done)` with codes on the line from one to the other, once a frame for `ms` milliseconds; at once
 * with the last where motion is not wanted. Returns a function that stops it where it is.
 * @param {number[]} from
 * @param {number[]} to
 * @param {(now: number[], done: boolean) => void} apply
 * @param {number} ms
 */
export function glide(from, to, apply, ms = 400) {
  let frame = 0;
  if (wantsStillness() || document.hidden) {
    apply([...to], true);
    return () => {};
  }
  const start = performance.now();
  /** @param {number} now */
  const step = (now) => {
    const t = Math.min(1, Math.max(0, (now - start) / ms));
    const eased = t * t * (3 - 2 * t);
    if (t < 1) frame = requestAnimationFrame(step);
    apply(t < 1 ? from.map((value, k) => value + (to[k] - value) * eased) : [...to], t === 1);
  };
  frame = requestAnimationFrame(step);
  return () => cancelAnimationFrame(frame);
}

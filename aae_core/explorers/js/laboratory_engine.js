// Where the laboratory's bench runs: in a worker made from its own source text, since a page that was opened from a
// disk may load no other; in the page itself, in short turns, where a worker is refused.

import { bench } from "./laboratory_bench.js";

/** @import { Begin, Order, Picture, Trained } from "./laboratory_bench.js" */
/** @typedef {(message: Begin | Order) => void} Take */

const IN_PAGE = { slice: 8, every: 90 };

/**
 * `source` is the worker's text; `receive(message)` takes the answers. `where()` is "worker" or "page".
 * @param {string} source
 * @param {(answer: Picture | Trained) => void} receive
 * @param {AbortSignal} signal
 */
export function engine(source, receive, signal) {
  /** @type {(Begin | Order)[] | null} */
  let waiting = []; // what was sent before the worker first answered
  /** @type {Worker | null} */
  let worker = null;
  /** @type {Take} */
  let take;
  const stayHere = () => {
    worker?.terminate();
    worker = null;
    take = bench(receive, IN_PAGE);
    waiting?.forEach(take);
    waiting = null;
  };
  try {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const made = new Worker(address);
    worker = made;
    take = (message) => made.postMessage(message);
    made.onmessage = ({ data }) => {
      waiting = null;
      receive(data);
    };
    made.onerror = (event) => {
      if (!waiting) return; // an error in a worker that has worked: the console shows it
      event.preventDefault();
      stayHere();
    };
    signal.addEventListener("abort", () => URL.revokeObjectURL(address));
  } catch {
    stayHere();
  }
  signal.addEventListener("abort", () => (worker ? worker.terminate() : take({ play: false })));
  const send = (/** @type {Begin | Order} */ message) => {
    waiting?.push(message);
    take(message);
  };
  return { send, where: () => (worker ? "worker" : "page") };
}

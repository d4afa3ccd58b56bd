// The book's host, on a page whose models and views a test can take in hand.

import { showWidgets } from "../../aae_core/explorers/host/host.js";

/** @import { Model } from "../../aae_core/explorers/host/model.js" */

/** @type {Model[]} */
const models = [];
/** @type {(() => void)[]} */
const ends = [];
/** How many listen to a model. @param {Model} model */
const count = ({ listeners }) => [...listeners.values()].reduce((sum, list) => sum + list.length, 0);
/** Sets the models' traits to what they were as the page began. */
const restart = () => {
  for (const { textContent } of document.querySelectorAll('script[type="application/vnd.jupyter.widget-state+json"]')) {
    const states = Object.values(JSON.parse(textContent ?? "").state);
    states.forEach(({ state }, k) => models[k].set(state));
  }
};
Object.assign(globalThis, { models, ends, count, restart });

showWidgets(({ model, el, life }) => {
  const stage = /** @type {HTMLElement} */ (el.parentElement);
  models[Number(stage.dataset.widget)] = model;
  ends[Number(stage.dataset.widget)] = () => life.abort();
});

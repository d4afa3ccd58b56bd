"""A plain page with live widgets, from their state alone: no kernel, no theme, the smallest host that can be; and networks to show there."""

import json

import torch
from torch import nn

HOST = """
const states = JSON.parse(document.getElementById("states").textContent);
const modules = new Map();
const load = (text) => {
  if (!modules.has(text)) modules.set(text, import(URL.createObjectURL(new Blob([text], {type: "text/javascript"}))));
  return modules.get(text);
};
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
function makeModel(state) {
  const data = {...state}, listeners = new Map();
  const fire = (event) => [...(listeners.get(event) ?? [])].forEach((f) => f());
  const model = {
    saved: 0,
    get: (key) => data[key],
    set: (key, value) => {
      const changes = typeof key === "string" ? {[key]: value} : key;
      const changed = Object.keys(changes).filter((name) => !same(data[name], changes[name]));
      Object.assign(data, changes);
      changed.forEach((name) => fire("change:" + name));
      if (changed.length) fire("change");
    },
    on: (event, f) => listeners.set(event, [...(listeners.get(event) ?? []), f]),
    off: (event, f) => listeners.set(event, (listeners.get(event) ?? []).filter((g) => g !== f)),
    save_changes: () => { model.saved += 1; },
    count: () => [...listeners.values()].reduce((sum, list) => sum + list.length, 0),
  };
  return model;
}
window.models = states.map(makeModel);
window.ends = [];
for (const [k, model] of models.entries()) {
  const style = document.createElement("style");
  style.textContent = model.get("_css");
  document.head.append(style);
  const el = document.querySelector(`[data-widget="${k}"]`);
  const {default: widget} = await load(model.get("_esm"));
  window.ends.push(await widget.render({model, el}));
  model.rendered = performance.now();
}
"""

PAGE = """<!doctype html>
<html lang="en" {attributes}><head><meta charset="utf-8"><title>Explorers</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
html {{ background: {paper}; color: {ink}; font: 17px/1.6 system-ui, "DejaVu Sans", sans-serif; }}
html[data-theme=dark] {{ background: #14181e; color: #e6eaee; }}
body {{ margin: 0; }} main {{ margin: 0 auto; max-width: 760px; padding: 16px; }}
</style></head>
<body {body}><main><h1>Explorers</h1>{holes}<p>After.</p></main>
<script type="application/json" id="states">{states}</script><script type="module">{host}</script></body></html>"""


def page(*widgets, theme="light", attributes="", body=""):
    """HTML with one live view per widget; `attributes` go to its html element, `body` to its body element."""
    states = [{key: value for key, value in w.get_state().items() if not isinstance(value, bytes)} for w in widgets]
    return PAGE.format(
        attributes=f'data-theme="{theme}" {attributes}' if theme else attributes,
        body=body,
        paper="#fff",
        ink="#1f2a37",
        holes="".join(f'<div data-widget="{k}"></div>' for k in range(len(widgets))),
        states=json.dumps(states, default=lambda _: None).replace("<", "\\u003c"),
        host=HOST,
    )


def vary(network, strength):
    """Draws the weights of an untrained network anew, so wide that what it gives differs from code to code."""
    with torch.no_grad():
        for layer in network:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0, strength / layer.in_features**0.5)

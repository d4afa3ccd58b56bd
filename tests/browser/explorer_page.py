"""A plain page with live widgets, from their state alone: no kernel, no theme, the smallest host that can be."""

import json
import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

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
<body><main><h1>Explorers</h1>{holes}<p>After.</p></main>
<script type="application/json" id="states">{states}</script><script type="module">{host}</script></body></html>"""


def page(*widgets, theme="light", attributes=""):
    """HTML with one live view per widget."""
    states = [{key: value for key, value in w.get_state().items() if not isinstance(value, bytes)} for w in widgets]
    return PAGE.format(
        attributes=f'data-theme="{theme}" {attributes}' if theme else attributes,
        paper="#fff",
        ink="#1f2a37",
        holes="".join(f'<div data-widget="{k}"></div>' for k in range(len(widgets))),
        states=json.dumps(states, default=lambda _: None).replace("<", "\\u003c"),
        host=HOST,
    )


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def chromium():
    """One headless Chromium: Playwright's own, or the system's."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        own = p.chromium.executable_path
        path = None if os.path.exists(own) else shutil.which("chromium") or shutil.which("chromium-browser")
        if path is None and not os.path.exists(own):
            pytest.skip("no Chromium: playwright install chromium")
        browser = p.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """A local server; ``pages(html)`` puts a page on it and returns its address."""
    folder = tmp_path_factory.mktemp("pages")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def publish(html, name=None):
        name = name or f"page-{len(list(folder.iterdir()))}.html"
        (folder / name).write_text(html, encoding="utf-8")
        return f"http://127.0.0.1:{server.server_port}/{name}"

    publish.folder = folder
    yield publish
    server.shutdown()


@pytest.fixture
def visit(chromium):
    """``visit(url, width=…)`` opens a page with the network refused; at the end no error may stand on its console."""
    contexts, complaints = [], []

    def gate(route):
        url = route.request.url
        if url.startswith(("data:", "blob:", "file:", "http://127.0.0.1")):
            route.continue_()
        else:
            complaints.append(f"asked for {url}")
            route.abort()

    def note(message):
        if message.type in ("error", "warning") and "willReadFrequently" not in message.text:
            complaints.append(f"{message.type}: {message.text}")

    def opened(url, width=1280, height=900, theme="light", motion="reduce", wait=True, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion=motion, **options
        )
        contexts.append(context)
        context.route("**/*", gate)
        tab = context.new_page()
        tab.on("console", note)
        tab.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        tab.goto(url)
        if wait:
            tab.wait_for_selector(".aae-explorer[data-ready]")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert not complaints, complaints

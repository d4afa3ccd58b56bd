"""Every explorer in a real JupyterLab and a real Notebook, with a kernel, in a browser with the network refused.

Notebook is JupyterLab's parts in another frame, so `make test-pages` leaves it to `make test-all`.

The reader has turned on "Save Widget State Automatically", and the server has the project's settings, which keep it out.
"""

from __future__ import annotations

import ast
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import matplotlib
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from conftest import LOCAL, PATIENCE
from examples import CASES, MODELS, Case
from tab import settle
from waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.book]

CONFIG = Path(__file__).parents[2] / "tools" / "jupyter_server_config.py"
HOSTS = {"lab": "lab/tree", "notebook": "notebooks"}
OURS = ("blob:", "/labextensions/anywidget/", "/labextensions/@jupyter-widgets/")  # Jupyter's own parts may grumble
READY = """(count) => document.querySelectorAll(".aae-explorer[data-ready]").length === count
    || document.querySelector('[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]')"""
PICTURES = """(root) => [...root.querySelectorAll("canvas")].filter((canvas) => canvas.checkVisibility()).map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value) => (Math.imul(sum, 31) + value) | 0, 7);
})"""
DRAWN = """(root) => {
    const ink = getComputedStyle(root).getPropertyValue("--aae-ink").match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    const shown = [...root.querySelectorAll("canvas")].filter((canvas) => canvas.checkVisibility() && !canvas.closest(".aae-seen, .aae-made"));
    return shown.every((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let k = 0; // the pixel with most ink
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > data[k + 3]) k = i;
        return data[k + 3] > 0 && (!canvas.matches(".aae-picture") || ink.every((part, c) => Math.abs(part - data[k + c]) < 3));
    });
}"""  # nothing is blank, and images have the ink of the theme that the page has now; a drawing is not there yet
WATCH = 'seen = set(); draw.observe(lambda change: seen.add(change.name), ["z", "label", "drawing"])'
TELL = "print(sorted(seen), draw.z, draw.label, len(draw.drawing), sep='; '); seen.clear()"
MOVE = "if draw.drawing: draw.z, draw.label = [1.0, -0.5], 7"  # "Run All Cells" comes here before anything is drawn
WRITE = "if draw.drawing: draw.drawing = [[0.4, 0.2, 0.4, 0.8], [0.4, 0.2, 0.6, 0.5]]"


def cells(name: str, case: Case) -> list[str]:
    """The cells of one explorer: one that shows it, one that reads its trait, one that sets it back."""
    *before, last = case.make.split("\n")
    made = [*before, f"{name} = {last}", f"first_{name} = {name}.{case.trait}", name]
    return ["\n".join(made), f"print(np.round({name}.{case.trait}, 2).tolist())", f"{name}.{case.trait} = first_{name}"]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """The address of a Jupyter server on a folder with the notebook, and the folder; it reads nothing of the user's."""
    home = tmp_path_factory.mktemp("jupyter")
    places = {f"JUPYTER_{part}_DIR": home / part.lower() for part in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"HOME": home, "IPYTHONDIR": home / "ipython", "XDG_CACHE_HOME": home / "cache"}
    (home / "work").mkdir()
    sources = [MODELS, *(text for name, case in CASES.items() for text in cells(name, case)), WATCH, TELL, MOVE, WRITE]
    notebook = new_notebook(
        cells=[new_code_cell(text.strip()) for text in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    for host in HOSTS:
        nbformat.write(notebook, home / "work" / f"{host}.ipynb")
    asks = ["apputils-extension:announcements", "extensionmanager-extension"]  # these look for news on the network
    (home / "config" / "labconfig").mkdir(parents=True)
    (home / "config" / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {f"@jupyterlab/{name}": True for name in asks}})
    )
    settings = home / "config" / "lab" / "user-settings" / "@jupyter-widgets" / "jupyterlab-manager"
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text(json.dumps({"saveState": True}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    options = ["--IdentityProvider.token=", "--LabApp.extension_manager=readonly", f"--config={CONFIG}"]
    theirs = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}
    ours = {key: str(folder) for key, folder in places.items()} | {"OMP_NUM_THREADS": "1", "PYTHONNOUSERSITE": "1"}
    ours["MPLCONFIGDIR"] = (
        matplotlib.get_cachedir()
    )  # else the kernel makes a list of fonts, and says so if that takes long
    log = home / "log.txt"
    with log.open("w") as file:
        server = subprocess.Popen([*command, *options], cwd=home / "work", env=theirs | ours, stdout=file, stderr=file)
    try:
        files = home / "runtime"
        eventually(lambda: server.poll() is not None or list(files.glob("jpserver-*.json")), log.read_text)
        assert server.poll() is None, log.read_text()
        found = list(files.glob("jpserver-*.json"))
        yield json.loads(found[0].read_text())["url"], home / "work"
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module", params=["lab", pytest.param("notebook", marks=pytest.mark.slow)])
def desk(request, jupyter, chromium):
    """The notebook in one of the hosts, after "Run All Cells"."""
    complaints = []

    def note(url: str, text: str) -> None:
        if any(part in url for part in OURS):
            complaints.append(text)

    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    context.on(
        "request", lambda r: None if r.url.startswith(LOCAL) else complaints.append(f"asked another host: {r.url}")
    )
    tab = context.new_page()
    tab.on("console", lambda m: note(m.location["url"], m.text) if m.type in {"error", "warning"} else None)
    tab.on("pageerror", lambda error: note(error.stack or "", str(error)))
    tab.goto(f"{jupyter[0]}{HOSTS[request.param]}/{request.param}.ipynb")
    tab.locator(".jp-Toolbar-kernelName", has_text="Python 3").wait_for()
    tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    choose(tab, "Run", "Run All Cells")
    tab.wait_for_function(READY, arg=len(CASES))
    assert tab.locator(".aae-explorer[data-ready]").count() == len(CASES), tab.locator(".jp-Notebook").inner_text()
    yield tab
    context.close()
    assert not complaints, "\n".join(complaints)


def choose(tab, *path):
    """Chooses an item of the menu."""
    for name in path:
        tab.locator(".lm-MenuBar-itemLabel, .lm-Menu-itemLabel", has_text=re.compile(f"^{name}$")).click()


def view(tab, name):
    return tab.locator(f'.aae-explorer[aria-label="{CASES[name].title}"]')


def run(tab, source):
    """Runs the cell with this source, and returns where its output stands."""
    cell = tab.locator(".jp-CodeCell", has_text=source)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    cell.locator(".cm-content").click()
    tab.keyboard.press("Control+Enter")
    expect(prompt).not_to_have_text(before, timeout=PATIENCE)
    expect(prompt).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=PATIENCE)
    return cell.locator(".jp-OutputArea-output")


def wait(tab, root, condition, *args):
    """Waits until `condition`, a function of the explorer's element, is true."""
    tab.wait_for_function(f"([root, ...rest]) => ({condition})(root, ...rest)", arg=[root.element_handle(), *args])


@pytest.mark.parametrize("name", CASES)
def test_an_explorer_and_the_kernel_follow_each_other(desk, name):
    case, root = CASES[name], view(desk, name)
    _, read, back = cells(name, case)
    root.scroll_into_view_if_needed()
    wait(desk, root, DRAWN)
    expect(run(desk, read)).to_have_text(case.first, timeout=PATIENCE)
    settle(desk)
    first = root.evaluate(PICTURES)

    slider = root.get_by_role("slider", name=case.slider, exact=True)
    at_once = slider.get_attribute("data-acts") != "later"  # on the steps to come: it changes no picture by itself
    slider.focus()
    desk.keyboard.press(case.key)
    if at_once:
        wait(desk, root, f"(root, first) => ({PICTURES})(root).join() !== first.join()", first)
    expect(run(desk, read)).to_have_text(case.moved, timeout=PATIENCE)

    put = slider.input_value()
    run(desk, back)
    expect(slider).not_to_have_value(put, timeout=PATIENCE)
    if at_once:
        wait(desk, root, f"(root, first) => ({PICTURES})(root).join() === first.join()", first)
    wait(desk, root, DRAWN)


def test_the_kernel_sees_style_digit_and_drawing_and_may_set_them(desk):
    root = view(desk, "draw")
    sliders = [root.get_by_role("slider", name=f"style {k}", exact=True) for k in (1, 2)]

    def told(strokes, label):
        """What the kernel has seen change, and the style it knows: that of the sliders, once the page has moved them."""
        output = run(desk, TELL)
        expect(output).to_have_text(re.compile(rf"; {label}; {strokes}\s*$"), timeout=PATIENCE)
        names, z, *_ = map(ast.literal_eval, output.inner_text().split("; "))
        shown = [float(slider.get_attribute("aria-valuetext").replace("\u2212", "-")) for slider in sliders]
        assert z == pytest.approx(shown, abs=0.006)
        return names, z

    root.locator(".aae-paper").scroll_into_view_if_needed()
    box = root.locator(".aae-paper").bounding_box()
    points = [
        (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in ((0.3, 0.3), (0.6, 0.4), (0.4, 0.8))
    ]
    desk.mouse.move(*points[0])
    desk.mouse.down()
    for point in points[1:]:
        desk.mouse.move(*point, steps=3)
    desk.mouse.up()
    root.locator(".aae-tile").nth(4).click()
    names, read = told(strokes=1, label=4)
    assert names == ["drawing", "label", "z"] and read != [0, 0]

    run(desk, MOVE)
    for slider, value in zip(sliders, ("1", "-0.5"), strict=True):
        expect(slider).to_have_value(value, timeout=PATIENCE)
    expect(root.locator(".aae-tile input").nth(7)).to_be_checked(timeout=PATIENCE)
    assert told(strokes=1, label=7) == (["label", "z"], [1, -0.5])

    run(desk, WRITE)  # the page reads a style off it, and tells the kernel
    expect(sliders[0]).not_to_have_value("1", timeout=PATIENCE)
    names, written = told(strokes=2, label=7)
    assert names == ["drawing", "z"] and written not in ([1, -0.5], read)


def test_explorers_follow_the_theme(desk):
    for theme, light in ("JupyterLab Dark", "false"), ("JupyterLab Light", "true"):
        choose(desk, "Settings", "Theme", theme)
        desk.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")
        for name in CASES:
            wait(desk, view(desk, name), DRAWN)


def whole(path: Path) -> nbformat.NotebookNode | None:
    """The notebook, if the file is no longer being written."""
    try:
        return nbformat.read(path, as_version=4)
    except nbformat.reader.NotJSONError:
        return None


def test_a_notebook_is_saved_without_widget_state(desk, jupyter):
    path = jupyter[1] / Path(desk.url).name
    before = path.stat().st_mtime_ns
    desk.keyboard.press("Control+s")
    eventually(
        lambda: desk.wait_for_timeout(100) or path.stat().st_mtime_ns != before, lambda: "the notebook was not saved"
    )
    saved = eventually(lambda: desk.wait_for_timeout(100) or whole(path))
    assert any(cell.outputs for cell in saved.cells) and "widgets" not in saved.metadata

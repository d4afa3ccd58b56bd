"""Every explorer in a real JupyterLab and a real Notebook, with a kernel, in a browser with the network refused."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from conftest import LOCAL, PATIENCE
from tab import settle

pytestmark = pytest.mark.browser

HOSTS = {"lab": "lab/tree", "notebook": "notebooks"}
OURS = ("blob:", "/labextensions/anywidget/", "/labextensions/@jupyter-widgets/")  # Jupyter's own parts may grumble
READY = """(count) => document.querySelectorAll(".aae-explorer[data-ready]").length === count
    || document.querySelector('[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]')"""
PICTURES = """(root) => [...root.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value) => (Math.imul(sum, 31) + value) | 0, 7);
})"""
DRAWN = """(root) => {
    const ink = getComputedStyle(root).getPropertyValue("--aae-ink").match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    return [...root.querySelectorAll("canvas")].every((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let k = 0; // the pixel with most ink
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > data[k + 3]) k = i;
        return data[k + 3] > 0 && (!canvas.matches(".aae-picture") || ink.every((part, c) => Math.abs(part - data[k + c]) < 3));
    });
}"""  # nothing is blank, and images have the ink of the theme that the page has now
MODELS = """
import numpy as np
import torch
from torch import nn

from aae_core.data import Digits
from aae_core.explorers import (
    CompareExplorer, MapExplorer, ParzenExplorer, ParzenSeries, RegionExplorer, StyleExplorer, TrainingExplorer,
    TrainingRecorder, WalkExplorer,
)
from aae_core.models import VAE, AdversarialAutoencoder, LabelledAAE, ReductionAAE
from aae_core.networks import Decoder
from aae_core.priors import Gaussian, GaussianMixture


def lively(module):
    "Never trained, but what it draws differs from code to code."
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, 2 / layer.in_features**0.5)
    return module.eval()


torch.manual_seed(0)
torch.set_num_threads(1)
small = {"hidden": (16,)}
digits = Digits(torch.randint(0, 256, (100, 1, 28, 28), dtype=torch.uint8), torch.arange(100) % 10)
"""


@dataclass(frozen=True)
class Case:
    """An explorer: how a cell makes it, the slider and the key that move it, and what that does to its trait."""

    make: str
    title: str
    slider: str
    key: str
    trait: str
    first: str  # its value to begin with, and after the key, as Python prints it
    moved: str


CASES = {
    "style": Case(
        "StyleExplorer(lively(Decoder(2, (16,), n_classes=10)))",
        "Style explorer", "style 2", "ArrowRight", "z", "[0.0, 0.0]", "[0.0, 0.05]",
    ),
    "walk": Case(
        "WalkExplorer(lively(Decoder(3, (16,))))",
        "Latent walk", "Along the walk", "ArrowRight", "t", "0.5", "0.51",
    ),
    "training": Case(
        "recorder = TrainingRecorder(digits, steps=4, frames=2)\n"
        "for step in (0, 1, 4):\n"
        "    recorder(step, lively(AdversarialAutoencoder(Gaussian(2), **small)))\n"
        "TrainingExplorer(recorder)",
        "Training explorer", "Training step", "ArrowLeft", "frame", "2", "1",
    ),
    "compare": Case(
        "CompareExplorer({'Gaussian': {'VAE': lively(VAE(Gaussian(2), **small)),"
        " 'AAE': lively(AdversarialAutoencoder(Gaussian(2), **small))}}, digits)",
        "Two decoders, one point", "Code, z1", "ArrowRight", "z", "[0.0, 0.0]", "[0.1, 0.0]",
    ),
    "region": Case(
        "RegionExplorer(lively(LabelledAAE(GaussianMixture(), (16,), discriminator_hidden=(8,))),"
        " GaussianMixture().sample(100, digits.labels), digits.labels, label=None)",
        "Region explorer", "Codes of held-out digits, z1", "ArrowRight", "z", "[1.4, 0.0]", "[1.5, 0.0]",
    ),
    "map": Case(
        "MapExplorer(lively(ReductionAAE(2, hidden=(16, 16), discriminator_hidden=(8, 8))), digits)",
        "A map of digits", "distance to keep", "ArrowRight", "distance", "6.0", "6.1",
    ),
    "parzen": Case(
        "ParzenExplorer({name: ParzenSeries(digits.pixels(slice(k, k + 20)), (0, 1 + k, k), (0.1, 0.2, 0.4))"
        " for k, name in enumerate('ab')})",
        "What a Parzen window rewards", "bandwidth", "End", "bandwidth", "0.2", "0.4",
    ),
}  # fmt: skip


def cells(name: str, case: Case) -> list[str]:
    """The cells of one explorer: one that shows it, one that reads its trait, one that sets it back."""
    *before, last = case.make.split("\n")
    made = [*before, f"{name} = {last}", f"first_{name} = {name}.{case.trait}", name]
    return ["\n".join(made), f"print(np.round({name}.{case.trait}, 2).tolist())", f"{name}.{case.trait} = first_{name}"]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """The address of a Jupyter server on a folder with the notebook; it reads nothing of the user's."""
    home = tmp_path_factory.mktemp("jupyter")
    places = {f"JUPYTER_{part}_DIR": home / part.lower() for part in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"HOME": home, "IPYTHONDIR": home / "ipython", "XDG_CACHE_HOME": home / "cache"}
    (home / "work").mkdir()
    sources = [MODELS, *(text for name, case in CASES.items() for text in cells(name, case))]
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    options = ["--IdentityProvider.token=", "--LabApp.extension_manager=readonly"]
    theirs = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}
    ours = {key: str(folder) for key, folder in places.items()} | {"OMP_NUM_THREADS": "1", "PYTHONNOUSERSITE": "1"}
    log = home / "log.txt"
    with log.open("w") as file:
        server = subprocess.Popen([*command, *options], cwd=home / "work", env=theirs | ours, stdout=file, stderr=file)
    try:
        until = time.monotonic() + PATIENCE / 1000
        while not (found := list((home / "runtime").glob("jpserver-*.json"))):
            assert server.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield json.loads(found[0].read_text())["url"]
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module", params=HOSTS)
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
    tab.goto(f"{jupyter}{HOSTS[request.param]}/{request.param}.ipynb")
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

    root.get_by_role("slider", name=case.slider, exact=True).focus()
    desk.keyboard.press(case.key)
    wait(desk, root, f"(root, first) => ({PICTURES})(root).join() !== first.join()", first)
    expect(run(desk, read)).to_have_text(case.moved, timeout=PATIENCE)

    run(desk, back)
    wait(desk, root, f"(root, first) => ({PICTURES})(root).join() === first.join()", first)
    wait(desk, root, DRAWN)


def test_explorers_follow_the_theme(desk):
    for theme, light in ("JupyterLab Dark", "false"), ("JupyterLab Light", "true"):
        choose(desk, "Settings", "Theme", theme)
        desk.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")
        for name in CASES:
            wait(desk, view(desk, name), DRAWN)

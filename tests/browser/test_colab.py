"""The cell of a chapter with the widget packages that Colab has, in a process of its own, and what it shows in a browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

import aae_core
from aae_core.explorers import StyleExplorer
from tab import ROOT, get, pictures
from test_house import COLAB

pytestmark = [pytest.mark.browser, pytest.mark.book]

WIDGETS = ["anywidget", "ipywidgets"]  # what these need besides is here, but for the last
PACKAGES = [*(f"{name}=={COLAB[name]}" for name in WIDGETS), f"ipython-genutils=={COLAB['ipython-genutils']}"]
UNREACHABLE = re.compile(r"connection|resolution|timed out|unreachable|from versions: none", re.I)
CELL = """
import json, sys, types

output = types.ModuleType("google.colab.output")  # what Colab's kernel has
output.calls = []
output.enable_custom_widget_manager = lambda: output.calls.append("enabled")
output._widgets = types.SimpleNamespace(_installed_url="https://colab.example/manager.js")
for name in ("google", "google.colab"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["google.colab.output"] = output

import anywidget, ipywidgets
from ipywidgets.widgets.widget import _remove_buffers

import aae_core
from aae_core.explorers import StyleExplorer

explorer = StyleExplorer(aae_core.load("supervised"))
data, metadata = explorer._repr_mimebundle_()
state = explorer.get_state()
_, paths, buffers = _remove_buffers(state)
explorer.set_state({"z": [0.5] * 8, "label": 3})
print(json.dumps({
    "versions": {module.__name__: module.__version__ for module in (anywidget, ipywidgets)},
    "calls": output.calls, "types": sorted(data), "metadata": metadata, "buffers": len(paths) + len(buffers),
    "state": {key: value for key, value in state.items() if key != "layout"},
    "set": [explorer.z, explorer.label],
}))
"""


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """What the cell said there."""
    folder = tmp_path_factory.mktemp("colab")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *PACKAGES]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"PyPI is out of reach: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    root = os.path.dirname(os.path.dirname(aae_core.__file__))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), root]), "PYTHONNOUSERSITE": "1"}
    done = subprocess.run([sys.executable, "-c", CELL], capture_output=True, text=True, env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def here():
    """The explorer as this environment makes it."""
    return StyleExplorer(aae_core.load("supervised"))


def test_the_cell_gives_a_widget_that_colab_shows(colab):
    assert colab["versions"] == {name: COLAB[name] for name in WIDGETS}
    assert "application/vnd.jupyter.widget-view+json" in colab["types"] and "image/png" in colab["types"]
    assert "enabled" in colab["calls"]  # else Colab refuses widgets that are not its own
    assert "colab" in colab["metadata"]["application/vnd.jupyter.widget-view+json"]


def test_the_state_is_the_same_there_and_holds_no_buffer(colab, here):
    assert colab["buffers"] == 0
    assert colab["set"] == [[0.5] * 8, 3]
    ours = [name for name in here.traits(sync=True) if not name.startswith(("_view", "_model", "_anywidget"))]
    state = json.loads(json.dumps(here.get_state(), default=lambda _: None))
    assert {name: colab["state"][name] for name in ours if name in colab["state"]} == {
        name: state[name] for name in ours if name in colab["state"]
    }
    assert {"z", "label", "decoder", "weights", "_esm", "_css"} <= set(ours) & set(colab["state"])


def test_the_view_asks_for_model_and_el_alone(colab):
    """Colab's host passes no more; `signal`, which others pass, may be missing."""
    asked = re.findall(r"function render\(\w+, \{([^}]*)\}\)", colab["state"]["_esm"])
    assert [{name.strip() for name in names.split(",")} for names in asked] == [{"model", "el", "signal"}]
    assert re.findall(r"\bsignal\?\.\w+", colab["state"]["_esm"])
    assert not re.search(r"\bexperimental\b|\bmodel\.(?!get|set|on|off|save_changes)\w+", colab["state"]["_esm"])


def test_what_colab_is_sent_draws_and_moves(colab, visit, pages):
    tab = visit(pages(SimpleNamespace(model_id="colab", get_state=lambda: colab["state"])))
    before = pictures(tab)
    assert len(before) == 10
    tab.locator(f"{ROOT} input[type=range]").first.focus()
    tab.keyboard.press("ArrowRight")
    assert get(tab, "z")[0] == 0.05
    assert all(a != b for a, b in zip(before, pictures(tab), strict=True))

"""What a reader takes away from the laboratory: a Python script that trains as the page does, and the model as JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch

from aae_core.explorers import load_page_model
from aae_core.explorers.page_model import Beads
from aae_core.packed import ExportError
from test_javascript import ROOT, node  # noqa: F401  a fixture

RUNS = ["a normal prior", "petals", "a roll", "a drawn prior", "nothing drawn", "images"]


@pytest.fixture(scope="module")
def runs(node):  # noqa: F811
    done = subprocess.run(
        [node, str(ROOT / "tests/js/script_runs.js")], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return {run["name"]: run for run in json.loads(done.stdout)}


@pytest.mark.parametrize("name", RUNS)
def test_the_script_trains_as_the_page_does(runs, name):
    names = {"__name__": "script"}
    exec(compile(runs[name]["script"].replace('if __name__ == "__main__":', "if True:"), name, "exec"), names)
    theirs = torch.tensor(runs[name]["losses"])
    assert theirs.shape == (100, 3)
    assert (torch.tensor(names["history"]) - theirs).abs().max() < 1e-3
    assert f"seed {names['SEED']}" in runs[name]["script"].splitlines()[0]


@pytest.mark.parametrize("name", RUNS)
def test_the_script_is_short(runs, name):
    assert len(runs[name]["script"].splitlines()) <= 60


@pytest.mark.parametrize("name", RUNS)
def test_the_model_computes_as_the_page_does(runs, name, tmp_path: Path):
    run, path = runs[name], tmp_path / "model.json"
    path.write_text(run["json"], "utf-8")
    model = load_page_model(path)
    codes = torch.tensor(run["codes"]).view(-1, 2)
    with torch.no_grad():
        assert (model.encode(torch.tensor(run["x"]).view(-1, *run["shape"])) - codes).abs().max() < 1e-5
        assert (model.decode(codes).flatten() - torch.tensor(run["rebuilt"])).abs().max() < 1e-5
    assert model.sample(5).shape == (5, *run["shape"]) and not model.training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: "{", "not JSON"),
        (lambda card: "[]", "expected a JSON object.* got list"),
        (lambda card: json.dumps(card | {"format": "cats"}), "got .*cats"),
        (lambda card: json.dumps(card | {"version": 2}), "version 1, got .*2"),
        (lambda card: json.dumps({name: card[name] for name in card if name != "decoder"}), "lacks decoder"),
        (lambda card: json.dumps(card | {"image_shape": [3, 9]}), r"image_shape: expected .* got \[3, 9\]"),
        (lambda card: json.dumps(card | {"weight": "much"}), "weight:"),
        (lambda card: json.dumps(card | {"decoder": card["encoder"]}), "decoder:"),
        (lambda card: json.dumps(card | {"encoder": card["encoder"] | {"weights": "AAAA"}}), "encoder: weights"),
        (lambda card: json.dumps(card | {"encoder": 3}), "encoder: "),
        (lambda card: json.dumps(card | {"prior": "cube"}), "prior:"),
        (
            lambda card: json.dumps(card | {"prior": {"name": "drawn", "beads": [], "std": 0.2}}),
            "prior: points: expected",
        ),
    ],
)
def test_a_file_that_the_page_did_not_write_is_refused_in_a_sentence(runs, tmp_path, change, message):
    path = tmp_path / "mine.json"
    path.write_text(change(json.loads(runs["images"]["json"])), "utf-8")
    with pytest.raises(ExportError, match=rf"^(.*/)?mine\.json: .*{message}") as error:
        load_page_model(path)
    assert "\n" not in str(error.value)


def test_beads_have_the_density_of_their_samples():
    prior = Beads(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), 0.2)
    z = prior.sample(2000, generator=torch.Generator().manual_seed(0))
    assert (z[:, 0] > 0).float().mean() == pytest.approx(0.5, abs=0.05)
    grid = torch.cartesian_prod(*2 * [torch.linspace(-3, 3, 121)])
    assert float(prior.log_prob(grid).exp().sum() * 0.05**2) == pytest.approx(1, abs=1e-3)

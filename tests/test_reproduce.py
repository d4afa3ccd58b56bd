"""The table of the paper's figures beside ours: which runs it takes, what it says of them, and how it is written."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from aae_core import metrics, records, reproduce, studies, zoo
from aae_core.cards import AS_IT_IS
from aae_core.cli import app
from aae_core.data import embedded
from aae_core.recipes import RECIPES, recipe
from aae_core.studies import Run
from aae_core.training import History

ROOT = Path(__file__).parents[1]
FIGURE = reproduce.FIGURES[0]
SHORT = "plain, short"
"""The variant of clustering-16 that is trained in the least time."""


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs of the first figure's recipe in a folder, and a zoo that has recorded none."""
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    model = recipe(FIGURE.recipe).make(seed=0)
    splits = embedded()
    for seed, error in ((0, 0.02), (1, 0.03)):
        chosen = recipe(FIGURE.recipe).with_training(seed=seed)
        history = History(steps=[10], losses={"reconstruction": [0.1]}, seconds=60.0 * (seed + 1), epochs=1)
        measures = {FIGURE.measure: metrics.Measure(error, 0.9, "chance")}
        zoo.save(model, tmp_path / "runs" / FIGURE.recipe / f"seed-{seed}", chosen, history, splits, measures)
    return tmp_path / "runs"


def test_every_figure_is_one_that_its_recipe_measures():
    for figure in reproduce.FIGURES:
        if figure.recipe in RECIPES:
            names = recipe(figure.recipe).measures
            assert any(figure.measure == name or figure.measure.startswith(f"{name}_") for name in names)


def test_recorded_runs_of_the_table_are_runs_of_their_own():
    for figure in reproduce.FIGURES:
        found = list(records.by_seed(figure.recipe, AS_IT_IS, "test").values())
        assert len(found) > 1 and len({card["weights"]["sha256"] for card in found}) == len(found)
        assert all(card["steps"] == found[0]["steps"] and card["seconds"] > 0 for card in found)


def test_a_row_is_the_mean_spread_and_interval_of_its_runs(runs):
    line = reproduce.rows([FIGURE.recipe], runs)[0]
    assert (line.ours, line.seeds, line.steps, line.minutes) == (pytest.approx(0.025), 2, 10, 1.5)
    assert line.ours_spread == pytest.approx(0.01 / 2**0.5)
    assert line.ours_interval == pytest.approx((0.025 - 12.706 * 0.005, 0.025 + 12.706 * 0.005), abs=1e-5)
    assert reproduce.cells(line)["ours"] == "2.50 ± 0.71 %"
    assert reproduce.cells(line)["paper"] == "1.90 ± 0.10 %"


def test_the_papers_method_is_a_column_and_validation_digits_have_a_star(runs):
    plain = zoo.card(runs / FIGURE.recipe / "seed-0") | {"variant": "plain", "split": "validation"}
    records.record([plain])
    line = reproduce.rows([FIGURE.recipe], runs)[0]
    assert (line.plain, line.plain_seeds, line.plain_interval) == (0.02, 1, None)
    assert reproduce.cells(line)["its method here"] == "2.00 % *" and reproduce.cells(line)["its interval"] == "–"
    records.record([plain | {"split": "test"}])
    assert reproduce.cells(reproduce.rows([FIGURE.recipe], runs)[0])["its method here"] == "2.00 %"


@pytest.mark.parametrize("further", [False, True])
def test_an_interval_holds_what_it_says_in_nineteen_of_twenty_cases(further):
    draws = np.random.default_rng(0).normal(size=(4000, 4))
    held = 0
    for *known, more in draws:
        low, high = reproduce.interval(known, further=further)
        held += low <= (more if further else 0) <= high
    assert held / len(draws) == pytest.approx(0.95, abs=0.015)


def test_a_figure_without_a_run_has_dashes(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    line = reproduce.rows([FIGURE.recipe])[0]
    assert line.ours is None and line.seeds == 0
    assert reproduce.cells(line)["ours"] == reproduce.short_cells(line)["its method here"] == "–"


def test_a_new_run_counts_in_place_of_the_recorded_one_of_its_seed(runs):
    for seed in (0, 1):
        records.record([zoo.card(runs / FIGURE.recipe / f"seed-{seed}")])
    assert reproduce.rows([FIGURE.recipe])[0].ours == reproduce.rows([FIGURE.recipe], runs)[0].ours
    zoo.remeasure(runs / FIGURE.recipe / "seed-1", {FIGURE.measure: metrics.Measure(0.04, 0.9, "chance")})
    assert records.values(FIGURE.recipe, AS_IT_IS, FIGURE.measure, "test", runs) == [0.02, 0.04]


@pytest.mark.parametrize(
    "odd", [{}, {FIGURE.measure: {"value": float("nan"), "reference": 1.0, "reference_is": "one"}}]
)
def test_a_run_without_the_tables_figure_is_named(runs, odd):
    path = runs / FIGURE.recipe / "seed-1" / zoo.CARD
    path.write_text(json.dumps(zoo.card(path.parent) | {"measures": odd}))
    with pytest.raises(ValueError, match=f"seed-1.*{FIGURE.measure}"):
        reproduce.rows([FIGURE.recipe], runs)


def test_a_folder_with_another_seeds_run_is_named(runs):
    path = runs / FIGURE.recipe / "seed-1" / zoo.CARD
    path.write_text(json.dumps(zoo.card(path.parent) | {"seed": 7}))
    with pytest.raises(ValueError, match="seed-1: .*another run"):
        reproduce.verdicts([studies.Run(FIGURE.recipe, AS_IT_IS, 1, "test")], runs)


def test_the_table_as_markdown_latex_and_json(runs, tmp_path):
    for name in ("table.json", "table.md", "table.tex"):
        result = CliRunner().invoke(
            app, ["reproduce", FIGURE.recipe, "--out", str(runs), "--table", str(tmp_path / name), "--json"]
        )
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["figures"][0]["ours"] == pytest.approx(0.025)
    head, _, line, *rest = (tmp_path / "table.md").read_text().splitlines()
    assert line.startswith("| error, 100 labels | 1.90 ± 0.10 % | – | – | – | 2.50 ± 0.71 % |") and "±" in rest[-1]
    tex = (tmp_path / "table.tex").read_text()
    assert r"2.50 $\pm$ 0.71 \%" in tex and tex.count(r"\\") == 2


def test_verifying_trains_a_further_seed_and_says_whether_it_was_to_be_expected(runs, monkeypatch):
    figure = {"within": 0.026, "far off": 0.9}
    for seed in (0, 1):
        records.record([zoo.card(runs / FIGURE.recipe / f"seed-{seed}")])

    def trained(value):
        def train(wanted, folder, *_, **__):
            (run,) = wanted
            assert (run.recipe, run.seed) == (FIGURE.recipe, 2)
            shutil.copytree(folder / run.recipe / "seed-0", run.folder(folder))
            about = zoo.card(run.folder(folder)) | {"seed": 2}
            (run.folder(folder) / zoo.CARD).write_text(json.dumps(about))
            zoo.remeasure(run.folder(folder), {FIGURE.measure: metrics.Measure(value, 0.9, "chance")})

        return train

    monkeypatch.setattr("aae_core.data.load_digits", lambda folder, announce: SimpleNamespace(is_full=True))
    for what, value in figure.items():
        monkeypatch.setattr(studies, "train", trained(value))
        result = CliRunner().invoke(app, ["reproduce", FIGURE.recipe, "--verify", "--out", str(runs), "--json"])
        assert result.exit_code == 0, result.stderr
        (found,) = json.loads(result.stdout)["verified"]
        assert (found["seed"], found["again"], found["within"]) == (2, value, what == "within")
        low, high = found["expected"]
        assert high - low == pytest.approx(2 * 12.706 * 0.01 / 2**0.5 * 1.5**0.5, rel=1e-4)
        shutil.rmtree(runs / FIGURE.recipe / "seed-2")
    # A recorded seed again, which is there: nothing is trained.
    result = CliRunner().invoke(app, ["reproduce", FIGURE.recipe, "--verify", "--seeds", "1", "--out", str(runs)])
    assert result.exit_code == 0 and "| yes |" in result.stdout


def test_the_readme_shows_the_table_of_todays_records():
    text = (ROOT / "README.md").read_text("utf-8")
    assert reproduce.with_table(text) == text, "renew it: python -m aae_core.reproduce README.md"


@pytest.mark.slow
def test_runs_train_side_by_side_in_processes_of_their_own_and_finished_ones_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    monkeypatch.setenv("AAE_DATA", "")
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "cache"))
    runs = [Run("clustering-16", SHORT, 0, "test"), Run("clustering-16", SHORT, 1, precision="float32")]
    assert studies.missing(runs, tmp_path) == runs
    said, kept = [], []
    studies.train(runs, tmp_path, jobs=2, progress=False, announce=said.append, keep=kept.extend)
    assert studies.missing(runs, tmp_path) == []
    assert len(said) == 2 and all(f"seed {seed}" in " ".join(said) for seed in (0, 1))
    cards = records.recorded("clustering-16", folder=tmp_path)
    assert sorted(card["split"] for card in kept) == sorted(card["split"] for card in cards) == ["test", "validation"]
    threads = max(1, (os.cpu_count() or 1) // 2)
    assert [card["seed"] for card in cards] == [0, 1] and f" {threads} thread(s)" in cards[0]["machine"]
    assert cards[0]["weights"]["sha256"] != cards[1]["weights"]["sha256"]


def test_no_process_at_all_is_refused(tmp_path):
    with pytest.raises(ValueError, match="jobs: .*1.*0"):
        studies.train([Run("judge", AS_IT_IS, 0)], tmp_path, jobs=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gan"], "the paper has no figure for 'gan'"),
        (["--table", "table.xls"], "ends in neither"),
        (["semi-supervised-100", "--seeds", "9"], "the paper's figures are of full MNIST"),
    ],
)
def test_mistakes_are_named(arguments, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("aae_core.data.load_digits", lambda folder, announce: SimpleNamespace(is_full=False))
    result = CliRunner().invoke(app, ["reproduce", *arguments])
    assert result.exit_code == 1 and message in result.stderr.replace("\n", " ")


def test_what_the_table_says_of_maps_and_clusters_is_what_the_records_say():
    for name in ("reduction-2d-100", "reduction-2d-1000", "reduction-10d-100"):
        measures = zoo.card(name)["measures"]
        assert measures["map_error"]["value"] > measures["test_error"]["value"]
    for name, words in (("clustering-16", "about eleven"), ("clustering-30", "about thirteen")):
        in_use = records.values(name, AS_IT_IS, "clustering_error_in_use", "test")
        assert {11: "about eleven", 13: "about thirteen"}[round(np.mean(in_use))] == words and words in reproduce.RULES
    assert reproduce.RULES in reproduce.ABOUT and reproduce.RULES in reproduce.SHORT

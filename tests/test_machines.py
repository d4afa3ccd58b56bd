"""The settings that make this machine another one do so; and the unit tests that train pass under one of them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import notebook_cache
from machines import QUICK, ROOT, SETTINGS, environment_of


def test_there_are_enough_of_them_and_pages_are_kept_apart_by_them():
    assert len(SETTINGS) >= 4 and sum(setting.book for setting in SETTINGS) >= 3
    assert any(setting.book and setting.full for setting in SETTINGS)
    variables = {name for setting in SETTINGS for name in setting.environment}
    assert variables <= {*notebook_cache.ARITHMETIC, "OMP_NUM_THREADS"}


def test_a_setting_names_full_mnist_only_where_it_has_it(monkeypatch, tmp_path):
    monkeypatch.setenv("AAE_DATA", str(tmp_path))
    monkeypatch.setenv("AAE_SEED", "9")
    for setting in SETTINGS:
        environment = environment_of(setting, str(tmp_path))
        assert environment.get("AAE_DATA") == (str(tmp_path) if setting.full else None)
        assert environment.get("AAE_SEED") == setting.environment.get("AAE_SEED")


def test_a_setting_changes_what_computes():
    code = (
        "import torch; from aae_core.training import choose_precision; "
        "print(torch.backends.cpu.get_cpu_capability(), choose_precision('auto', torch.device('cpu')))"
    )
    environment = environment_of(QUICK, None)
    told = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert told.stdout.split() == ["AVX2", "float32"]


def test_a_processor_that_emulates_bfloat16_is_given_float32():
    """Whatever its flags say: as this one does when it may not use the instructions."""
    code = "import torch; from aae_core.training import choose_precision; print(choose_precision('auto', torch.device('cpu')))"
    environment = {name: value for name, value in environment_of(QUICK, None).items() if name != "AAE_PRECISION"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert told.stdout.split() == ["float32"], told.stderr


@pytest.mark.slow
def test_tests_that_train_pass_on_another_processor():
    """Those that look at what a training brought; ``make test-machines`` runs all of them, on each."""
    files = [path for path in (ROOT / "tests").glob("test_*.py") if "mark.trains" in path.read_text("utf-8")]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "trains and not slow", *map(str, sorted(files))]
    environment = environment_of(QUICK, None) | {"OMP_NUM_THREADS": "1"}  # other tests run beside
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", told.stdout)[1]) > 15

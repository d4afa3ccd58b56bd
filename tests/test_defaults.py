"""What holds where nothing is said: measures take the same, so that two figures can be compared; pieces are small."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

from aae_core import metrics
from aae_core.data import mapped

FUNCTIONS = {
    f"{module.name}.{name}": function
    for module in pkgutil.iter_modules(metrics.__path__, f"{metrics.__name__}.")
    for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction)
    if function.__module__ == module.name
}
SAMPLES = {"likelihood_bound.best_spread": 1_000, "likelihood_bound.entropy_of": 100_000}
"""Not 10,000: a spread is chosen among few images, an entropy has to be sharper than what stands beside it."""


@pytest.mark.parametrize(("name", "usual", "exceptions"), [("seed", 0, {}), ("n", 10_000, SAMPLES)])
def test_measures_agree_on_what_is_usual(name, usual, exceptions):
    asked = {where: inspect.signature(function).parameters.get(name) for where, function in FUNCTIONS.items()}
    found = {where.removeprefix("aae_core.metrics."): each.default for where, each in asked.items() if each is not None}
    given = {where: value for where, value in found.items() if value is not inspect.Parameter.empty}
    assert len(given) > 5 and given == dict.fromkeys(given, usual) | exceptions


def test_a_piece_is_small_beside_what_is_large_and_large_beside_an_image():
    assert 2**20 <= mapped.PIECE < mapped.LARGE / 16 and mapped.LARGE <= 2**31

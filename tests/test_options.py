"""Bad input is refused at the door: every option of every command, every kind of path, every setting from Python.

Each option is given, one at a time, values that its kind may meet by mistake. A command then does its work or ends with a
message; what came of each is a row of ``benchmarks/options.csv``, which ``make soak`` writes.
"""

from __future__ import annotations

import csv
import dataclasses
import inspect
import json
import os
import shutil
import signal
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import aae_core
import fuzz
from aae_core import data, studies, zoo
from aae_core.cli import app
from aae_core.explorers import load_page_model
from aae_core.training import TrainingConfig, TrainingError
from aae_core.training import recipe as recipe_module

TABLE = Path(__file__).parents[1] / "benchmarks" / "options.csv"
INTEGERS = ["-1", "0", "1", str(2**31), "9" * 30, "1.5", "1e3", "nan", "inf", "x", "", "²"]
NUMBERS = ["-1", "0", "0.5", "1e308", "1e999", "nan", "-inf", "x", "", "1,5"]
WORDS = ["", " ", "x", "aae-smal", "AAE-SMALL", "é𝄞", "x" * 5000, "../x", "-", "1x0x28", "3x99999x99999", "1x²x8"]
PATHS = {
    "missing": "nowhere",
    "missing folder": "nowhere/at/all.png",
    "empty": "",
    "a folder": "folder",
    "a file": "file.txt",
    "not readable": "closed.csv",
    "no rights": "closed",
    "with spaces": "with  spaces .npy",
    "Unicode": "é𝄞 – 数.npy",
    "no text": "\udcff.npy",
    "very long": "x" * 5000,
    "a link in a circle": "circle",
    "a link to nowhere": "dangling",
    "below a file": "file.txt/x",
    "a device": os.devnull,
    "a table that is empty": "empty.csv",
    "an array that is text": "text.npy",
}
READ = {"a pipe": "pipe"}
"""Paths to read; a pipe to write to waits for whoever reads it, as it should."""


class Begun(Exception):
    """A training would begin now."""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[Path]:
    """The current folder, with a run and a path of every kind; no network, no training."""
    from torchvision.datasets import MNIST

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AAE_DATA", raising=False)
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(MNIST, "mirrors", [])

    def begin(*_: object, **__: object) -> None:
        raise Begun

    monkeypatch.setattr(recipe_module, "fit", begin)
    monkeypatch.setattr(studies, "train", begin)
    monkeypatch.setattr(webbrowser, "open", lambda address: True)
    shutil.copytree(
        zoo.ZOO, "zoo", ignore=lambda folder, names: [name for name in names if name.endswith(".safetensors")]
    )
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    for name in ("folder", "closed"):
        Path(name).mkdir()
    for name in ("file.txt", "closed.csv", "text.npy"):
        Path(name).write_text("a,b\n1,2\n")
    Path("empty.csv").touch()
    Path("circle").symlink_to("round")
    Path("round").symlink_to("circle")
    Path("dangling").symlink_to("nowhere")
    os.mkfifo("pipe")
    images = np.random.default_rng(0).integers(0, 256, (150, 8, 8), np.uint8)
    for name in ("images.npy", PATHS["with spaces"], PATHS["Unicode"]):
        np.save(name, images)
    splits = data.load_dataset("array", "images.npy", announce=lambda line: None)
    fuzz.a_run(Path("run"), splits)
    for name in ("closed.csv", "closed"):
        os.chmod(name, 0)
    yield tmp_path
    os.chmod("closed", 0o700)


@dataclasses.dataclass(frozen=True)
class Parameter:
    """An option or an argument of a command, as its function has it."""

    name: str
    option: str | None
    kind: type
    required: bool
    metavar: str


def parameters(command: Callable[..., None]) -> list[Parameter]:
    found = []
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind, info, *_ = get_args(hints[name])
        kind = next((each for each in get_args(kind) if each is not type(None)), kind)  # of a list, or of one or none
        option = None
        if isinstance(info, typer.models.OptionInfo):
            named = [each for each in (info.default, *(info.param_decls or ())) if str(each).startswith("--")]
            option = named[0] if named else f"--{name.replace('_', '-')}"
        found.append(Parameter(name, option, kind, parameter.default is parameter.empty, info.metavar or ""))
    return found


def commands(group: typer.Typer, *above: str) -> Iterator[tuple[tuple[str, ...], list[Parameter]]]:
    for each in group.registered_commands:
        yield (*above, each.name or each.callback.__name__), parameters(each.callback)
    for each in group.registered_groups:
        yield from commands(each.typer_instance, *above, each.name)


COMMANDS = dict(commands(app))


def usual(parameter: Parameter, command: tuple[str, ...]) -> list[str]:
    """What a required argument or option, or one that keeps the work small, is given while another is tried."""
    if parameter.option is None:
        good = {"run": "run", "which": "run", "data": "images.npy", "folder": "fresh"}
        return [good.get(parameter.name, "aae-small")] if parameter.required else []
    out = {"sample": "out.png", "encode": "out.csv", "score": "out.csv"}.get(command[0], "out")
    small = {"out": out, "data": "images.npy", "epochs": "1"}
    if command == ("reproduce",):  # of MNIST alone
        del small["data"]
    return [parameter.option, small[parameter.name]] if parameter.name in small else []


def values(parameter: Parameter) -> Iterator[tuple[str, list[str]]]:
    """What is tried of a parameter: in words, and as the command line has it."""
    option = [parameter.option] if parameter.option else []
    if parameter.kind is bool:
        yield "given", option
        yield "twice", option * 2
        return
    words = INTEGERS if parameter.kind is int else NUMBERS if parameter.kind is float else WORDS
    if not get_origin(parameter.kind) and issubclass(parameter.kind, Enum):  # list[str] is no class
        words = [*map(str, parameter.kind), next(iter(parameter.kind)).upper(), "x", ""]
    given = {word: word for word in words} if parameter.kind is not Path else {}
    if parameter.kind is Path or "DIR" in parameter.metavar:
        given |= PATHS | (READ if parameter.name != "out" else {})
    for what, value in given.items():
        yield what, [*option, value]


def came_of(arguments: list[str]) -> str:
    """What a command came to: 0 done, 1 refused, 2 refused as a usage; anything else is a fault."""
    signal.setitimer(signal.ITIMER_REAL, fuzz.PATIENCE)  # a command that waits ends the tests
    result = CliRunner().invoke(app, arguments)
    signal.setitimer(signal.ITIMER_REAL, 0)
    if isinstance(result.exception, Begun):
        return "training begins"
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    if result.exit_code:
        assert result.stderr.strip(), "no message"
        assert not result.stdout.strip(), "what is printed is no result"
    return {0: "done", 1: "refused", 2: "refused as usage"}[result.exit_code]


def tried(command: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Each option, what it was given, and what came of it."""
    for parameter in COMMANDS[command]:
        others = [word for each in COMMANDS[command] if each is not parameter for word in usual(each, command)]
        for words, given in values(parameter):
            try:
                came = came_of([*command, *others, *given])
            except AssertionError as error:
                raise AssertionError(f"{[*command, *others, *given]!r:.300}: {error}") from None
            yield parameter.option or parameter.name, words[:24] + "…" * (len(words) > 24), came


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_option_is_met_with_work_or_with_a_message(command, place):
    assert len(list(tried(command))) >= len(COMMANDS[command])


def test_the_table_has_the_commands_and_options_of_now():
    with TABLE.open(encoding="utf-8", newline="") as file:
        kept = {(row["command"], row["option"]) for row in csv.DictReader(file)}
    assert kept == {(" ".join(name), each.option or each.name) for name, found in COMMANDS.items() for each in found}


@pytest.mark.slow
@pytest.mark.soak
def test_what_was_tried_of_every_option_and_what_came_is_a_table(place, request, record_figures):
    rows = [(" ".join(command), *row) for command in COMMANDS for row in tried(command)]
    came = Counter(row[-1] for row in rows)
    record_figures("options", commands=len(COMMANDS), tried=len(rows), came=dict(sorted(came.items())))
    if request.config.getoption("record"):
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("command", "option", "given", "came"), *rows])


def test_the_usual_arguments_are_good_ones(place):
    """Else every option would be refused for another's sake."""
    assert came_of(["train", "aae-small", "--epochs", "1", "--data", "images.npy", "--out", "out"]) == "training begins"
    assert came_of(["encode", "run", "--data", "images.npy", "--out", "x.csv"]) == "done"
    assert came_of(["score", "run", "--data", "images.npy", "--out", "y.csv"]) == "done"
    assert came_of(["explore", "run", "--out", "x.html"]) == "done"
    for command in (
        ["evaluate", "run", "--data", "images.npy"],
        ["sample", "run", "--out", "x.png"],
        ["export", "run", "--out", "x"],
    ):
        assert came_of(command) == "done"


SETTINGS = [field.name for field in dataclasses.fields(TrainingConfig)]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_takes_what_it_says_and_names_itself_otherwise(name):
    for value in [
        *fuzz.ODD,
        (0.5, 0.9),
        (0.5,),
        "auto",
        "cpu",
        {"encoder": 0.1},
        {"encoder": "x"},
        np.nan,
        b"x",
        object(),
    ]:
        try:
            config = TrainingConfig(**{name: value})
        except ValueError as error:
            assert str(error).startswith(f"{name}: expected")
        else:
            json.dumps(dataclasses.asdict(config), default=dict, allow_nan=False)
            assert value == value and not isinstance(value, bool) or name == "compile"


@pytest.mark.parametrize("name", [*PATHS, *READ])
def test_from_python_a_path_of_any_kind_is_read_or_named(name, place):
    path = (PATHS | READ)[name]
    for reader in (
        zoo.load,
        zoo.card,
        data.read_array,
        data.read_table,
        data.read_folder,
        data.load_digits,
        load_page_model,
    ):
        try:
            reader(path if reader in (zoo.load, zoo.card, data.load_digits) else Path(path))
        except (ValueError, OSError, TrainingError) as error:
            assert str(error)


@pytest.mark.parametrize("value", [5, None, "nothing of the kind", [1, 2]])
def test_what_is_no_prior_is_refused_in_a_priors_place(value):
    with pytest.raises(ValueError, match="prior: "):
        aae_core.recipe("aae-deterministic").with_settings({"prior": value})

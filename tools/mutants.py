"""Mutation testing: ``make mutants`` changes one operator or constant at a time, and asks the tests whether they notice.

cosmic-ray makes the mutants; a tenth of those of each module is drawn. A mutant meets the tests that run its line, quickest
first, as coverage.py has recorded them. Each is a fork of a process that has loaded torch already, so it costs what its tests
do. What is no change (an annotation, a docstring) is not counted. The figures and the survivors go to ``benchmarks/mutants.json``.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
MODULES = ("losses.py", "priors.py", "step.py", "metrics/*.py", "data/*.py")
COVERED, DURATIONS = ROOT / "_build" / "mutants.coverage", ROOT / "_build" / "mutants.xml"
RECORD = ROOT / "benchmarks" / "mutants.json"
LOADED = [
    "torch",
    "torchvision",
    "scipy.stats",
    "sklearn.ensemble",
    "pandas",
    "PIL.Image",
    "matplotlib.pyplot",
    "safetensors.torch",
    "pytest",
    "xdist",
    "hypothesis",
    "playwright.sync_api",
    "IPython",
    "ipywidgets",
    "anywidget",
    "typer",
    "yaml",
    "tqdm.auto",
]
"""What every fork has at once; nothing of the package, which a fork loads with its mutant in it."""
LEFT_OUT = ("BitAnd", "BitOr", "BitXor", "LShift", "RShift", "VariableInserter", "VariableReplacer")
"""Operators that need arguments, and those on bits: they raise at once where numbers are floats, so to notice them is no merit."""
FEW = 3
AT_A_TIME = ("batch_size", "rows")
MISSED = ("survived", "no test", "doubtful")
DECLARED = ("tests/test_defaults.py",)
"""Tests of what modules declare: they run none of its lines, and are asked of each mutant in a line that few run."""
LONGEST = 30.0
"""Seconds of tests, as they took when lines were recorded, after which a mutant counts as one that survived."""


@dataclass(frozen=True)
class Mutant:
    """A module with one thing changed."""

    module: str
    line: int
    operator: str
    was: str
    becomes: str
    source: str


def meaning(source: str) -> str:
    """The syntax tree without annotations and docstrings: two sources with the same one do the same.

    How many items are computed at a time, where nobody says so, changes no number either.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument, default in zip(reversed(node.args.args), reversed(node.args.defaults), strict=False):
                if argument.arg in AT_A_TIME and isinstance(default, ast.Constant):
                    default.value = 0
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("_")
        if isinstance(getattr(node, "body", None), list):
            node.body = [each for each in node.body if not _is_text(each)] or [ast.Pass()]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def mutants(path: Path, share: float, draw: random.Random) -> Iterator[Mutant]:
    """That share of what cosmic-ray makes of a module, less what changes nothing that it does."""
    from cosmic_ray.ast import Visitor, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    class Count(Visitor):
        """Counts the places that an operator can change."""

        def __init__(self, operator: Any) -> None:
            self.operator, self.places = operator, 0

        def visit(self, node: Any) -> Any:
            self.places += sum(1 for _ in self.operator.mutation_positions(node))
            return node

    source, module = path.read_text("utf-8"), path.relative_to(ROOT).as_posix()
    unchanged, lines, tree, places = meaning(source), source.splitlines(), get_ast(source), []
    for name in sorted(operator_names()):
        if name.endswith(LEFT_OUT):
            continue
        count = Count(get_operator(name)())
        count.walk(tree)
        places += [(name, occurrence) for occurrence in range(count.places)]
    for name, occurrence in sorted(draw.sample(places, round(share * len(places)))):
        changed = mutate_code(source, get_operator(name)(), occurrence)
        try:
            if changed is None or meaning(changed) == unchanged:
                continue
        except SyntaxError:
            continue
        now = changed.splitlines()
        at = next((i for i, pair in enumerate(zip(lines, now, strict=False)) if pair[0] != pair[1]), len(now) - 1)
        yield Mutant(module, at + 1, name.removeprefix("core/"), lines[at].strip(), now[at].strip(), changed)


class Changed(importlib.abc.MetaPathFinder):
    """Finds the mutant's module where the import system looks for it."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = mutant.module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        self.path, self.source = str(ROOT / mutant.module), mutant.source

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> object:
        """The specification of the changed module, and of no other."""
        if name != self.name:
            return None
        package = [str(Path(self.path).parent)] if self.path.endswith("__init__.py") else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=_Loader(name, self.path, self.source), submodule_search_locations=package
        )


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, "exec", dont_inherit=True)


class Asked:
    """Which tests run a line, and how long each takes."""

    def __init__(self) -> None:
        import coverage

        self.data = coverage.CoverageData(str(COVERED))
        self.data.read()
        self.seconds = {
            f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}": float(case.get("time", 0))
            for case in ET.parse(DURATIONS).iter("testcase")
            if case.find("skipped") is None and case.find("failure") is None and case.find("error") is None
        }

    def of(self, mutant: Mutant) -> list[list[str]]:
        """The tests of a line by their files; of a line that less than :data:`FEW` run, those of the whole module: it may run at
        import, or once alone, as what it gives is kept.

        They are the quickest, as many as :data:`LONGEST` holds; first come the files of which the largest share runs that line.
        """
        by_line = self.data.contexts_by_lineno(str(ROOT / mutant.module))
        found = by_line.get(mutant.line, [])
        if len({each for each in found if each}) < FEW:
            found = {each for contexts in by_line.values() for each in contexts}
            found |= {test for test in self.seconds if _file(test) in DECLARED}
        tests = {each.rsplit("|", 1)[0] for each in found if each} & self.seconds.keys()
        quickest = sorted(tests, key=lambda test: (self.seconds[test], test))
        spent = accumulate(self.seconds[test] for test in quickest)
        by_file: dict[str, list[str]] = {}
        for test, _ in takewhile(lambda each: each[1] <= LONGEST, zip(quickest, spent, strict=True)):
            by_file.setdefault(_file(test), []).append(test)
        every = Counter(map(_file, self.seconds))
        return [by_file[file] for file in sorted(by_file, key=lambda file: (-len(by_file[file]) / every[file], file))]


def _file(test: str) -> str:
    return test.split("::")[0]


class FirstFailure:
    """A plugin of pytest that writes down the first test that failed."""

    def __init__(self, to: Path) -> None:
        self.to = to

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called by pytest after each part of a test."""
        if report.failed and not self.to.exists():
            self.to.write_text(report.nodeid, "utf-8")


def outcome(mutant: Mutant, tests: Sequence[Sequence[str]], failed: Path) -> str:
    """What the tests say of a mutant: "killed", "survived", "too slow", or "no test"."""
    failed.unlink(missing_ok=True)
    if not tests:
        return "no test"
    child = os.fork()
    if child == 0:
        _meet(mutant, tests, failed)
    until = time.monotonic() + 20 * LONGEST
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "too slow"
        time.sleep(0.05)


def _meet(mutant: Mutant, tests: Sequence[Sequence[str]], failed: Path) -> None:
    """In the fork: runs the tests with the mutant in place, and leaves with 0 where all of them pass."""
    code = 1
    try:
        os.setpgid(0, 0)
        # Of processor time, not of the clock: a machine that is busy with other things would count as one that notices.
        most = 20 + round(3 * LONGEST)
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        os.chdir(ROOT)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(ROOT))
        sys.meta_path.insert(0, Changed(mutant))
        import pytest

        plugins = [FirstFailure(failed)]
        for of_file in tests:
            code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *of_file], plugins=plugins))
            if code:
                break
    finally:
        os._exit(code)


def record_coverage() -> None:
    """Runs the unit tests once, and records which of them runs which line."""
    COVERED.parent.mkdir(exist_ok=True)
    settings = COVERED.with_suffix(".ini")
    included = "\n  ".join(f"aae_core/{each}" for each in MODULES)
    settings.write_text(f"[run]\ndata_file = {COVERED}\ninclude =\n  {included}\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-m", "not slow and not book and not browser"]
    command += ["--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report=", f"--junitxml={DURATIONS}"]
    subprocess.run(command, cwd=ROOT, check=False)


def main() -> None:
    """Draws mutants, lets the tests meet them, and records what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=0.1, help="of the mutants of each module")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--missed", action="store_true", help="ask again those alone that the record has as not noticed"
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=MODULES, help="patterns below aae_core")
    asked = parser.parse_args()
    if not COVERED.is_file():
        record_coverage()
    for name in LOADED:
        importlib.import_module(name)
    tests = Asked()
    for path in (path for pattern in asked.modules for path in sorted((ROOT / "aae_core").glob(pattern))):
        module = path.relative_to(ROOT).as_posix()
        drawn = list(mutants(path, asked.share, random.Random(f"{asked.seed} {path.name}")))
        count, before = len(drawn), recorded()["modules"].get(module, {}).get("missed", [])
        if asked.missed:
            known = {(each["operator"], each["was"], each["becomes"]) for each in before}
            drawn = [each for each in drawn if (each.operator, each.was, each.becomes) in known]
        with TemporaryDirectory() as made, ThreadPoolExecutor(asked.jobs) as pool:
            folder = Path(made)
            told = list(pool.map(partial(meet, tests=tests, folder=folder), drawn, range(len(drawn))))
            told = trusted(told, tests, folder / "control")
        if told:
            keep(module, told, count, asked)


def meet(mutant: Mutant, k: int, tests: Asked, folder: Path) -> tuple[Mutant, str, str]:
    """A mutant, what the tests say of it, and which of them noticed it."""
    failed = folder / str(k)
    what = outcome(mutant, tests.of(mutant), failed)
    return mutant, what, failed.read_text("utf-8") if failed.exists() else ""


def trusted(told: Sequence[tuple[Mutant, str, str]], tests: Asked, failed: Path) -> list[tuple[Mutant, str]]:
    """The outcomes, less those by tests that fail beside the others without any mutant: such a test notices nothing.

    Where no test is named, as if pytest did not begin, those of all mutants are to pass without one.
    """
    by, doubted = sorted({test for _, _, test in told if test}), set()
    by = by or sorted({test for mutant, _, _ in told for file in tests.of(mutant) for test in file})
    while by:
        unchanged = replace(told[0][0], source=(ROOT / told[0][0].module).read_text("utf-8"))
        if outcome(unchanged, [by], failed) == "survived":
            break
        name = failed.read_text("utf-8") if failed.exists() else ""
        if name not in by:
            raise RuntimeError(f"The tests do not run without a mutant. {name}")
        print(f"Fails without a mutant: {name}", flush=True)
        doubted.add(name)
        by.remove(name)
    return [(mutant, "doubtful" if test in doubted else what) for mutant, what, test in told]


def recorded() -> dict[str, Any]:
    """The record as it is."""
    return json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {"modules": {}}


def keep(module: str, told: Sequence[tuple[Mutant, str]], count: int, asked: argparse.Namespace) -> None:
    """Writes a module's figures in the record, of its `count` mutants, and each that nobody noticed."""
    kept = recorded()
    if (kept.get("share"), kept.get("seed")) != (asked.share, asked.seed):
        kept = {"share": asked.share, "seed": asked.seed, "modules": {}}
    missed = [
        {"line": each.line, "operator": each.operator, "was": each.was, "becomes": each.becomes, "outcome": what}
        for each, what in told
        if what in MISSED
    ]
    kept["modules"][module] = {"mutants": count, "noticed": count - len(missed), "missed": missed}
    counts = kept["modules"].values()
    kept |= {name: sum(each[name] for each in counts) for name in ("mutants", "noticed")}
    RECORD.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{module}: {count - len(missed)} of {count}; in all {kept['noticed']} of {kept['mutants']}.")
    for each in missed:
        print(f"  {each['outcome']}, line {each['line']}: {each['was']}\n    {each['becomes']}", flush=True)


if __name__ == "__main__":
    main()

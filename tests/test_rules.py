"""The rules of how the sources are laid out, which `make lint` asks too: it imports nothing of the project."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from floors import PICTURE, floors, imports_of_modules, picture

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "aae_core").rglob("*.py"))
SCRIPTS = sorted((ROOT / "aae_core").rglob("*.js"))
LONGEST = 285
"""Lines of a module, which is one idea; CONTRIBUTING.md says about 250."""


def test_an_explorers_class_is_under_sixty_lines():
    """What is more belongs into the functions beside it, or into a part that others can use."""
    lines = {}
    for path in (ROOT / "aae_core" / "explorers").glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("Explorer"):
                lines[node.name] = node.end_lineno - node.lineno + 1
    assert len(lines) > 8
    assert {name: count for name, count in lines.items() if count >= 60} == {}


def test_a_module_is_one_idea_long():
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in PACKAGE + SCRIPTS
    }
    assert {name for name, lines in lengths.items() if lines > LONGEST} == set()


def is_remarkable(value: object) -> bool:
    """A number of four digits or more, but zeros at its end; not a power of two, or one beside it, which say what they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    digits = repr(value).split("e")[0].replace(".", "").strip("0")
    powers = {n & (n - 1) for n in (value - 1, value, value + 1)} if isinstance(value, int) else set()
    return len(digits) >= 4 and 0 not in powers


def test_a_constant_has_one_home():
    """The same remarkable number, or the same name for the same literal, stands in no two modules."""
    homes: dict[str, set[str]] = {}
    for path in PACKAGE:
        tree = ast.parse(path.read_text("utf-8"))
        found = {repr(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant) and is_remarkable(n.value)}
        for node in tree.body:
            if isinstance(node, ast.Assign) and not any(isinstance(part, ast.Name) for part in ast.walk(node.value)):
                found.add(ast.unparse(node))
        for constant in found:
            homes.setdefault(constant, set()).add(path.relative_to(ROOT).as_posix())
    assert len(homes) > 50
    assert {constant: where for constant, where in homes.items() if len(where) > 1} == {}


def test_no_module_imports_a_private_name_of_another():
    imports = [
        (path, node)
        for path in PACKAGE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aae_core")
    ]
    private = [f"{path.name}: {name.name}" for path, node in imports for name in node.names if is_private(name.name)]
    assert imports and private == []


def test_no_test_reads_a_private_name():
    public = {"_replace", "_exit", "_dynamo", "_inductor"}  # of named tuples, of os, and modules of torch's
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if private := [name for name in names_read(node) if is_private(name) and name not in public]:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {private[0]}")
    assert found == []


def is_private(name: str) -> bool:
    return re.fullmatch(r"_[A-Za-z]\w*(?<!_)", name) is not None


def names_read(node: ast.AST) -> list[str]:
    """The names of others that a part of a module reads: imported, behind a dot, or as the words of a function."""
    match node:
        case ast.Attribute(value=value, attr=name) if ast.unparse(value) != "self":
            return [name]
        case ast.ImportFrom(module=module, names=names):
            return [*(module or "").split("."), *(each.name for each in names)]
        case ast.Import(names=names):
            return [part for each in names for part in each.name.split(".")]
        case ast.Call(func=func, args=args) if re.search(r"(^|\.)((get|set|has|del)attr|patch)$", ast.unparse(func)):
            words = [part.value for part in args[:2] if isinstance(part, ast.Constant)]
            return [word.split(".")[-1] for word in words if isinstance(word, str)]
    return []


@pytest.mark.parametrize(
    "line",
    ["from x import _y", "import x._y", "from x._y import z", "x._y()", "monkeypatch.setattr('x._y', z)", "getattr(x, '_y')"],
)  # fmt: skip
def test_a_private_name_is_seen_however_it_is_read(line):
    assert [name for node in ast.walk(ast.parse(line)) for name in names_read(node) if is_private(name)] == ["_y"]


def test_the_picture_of_the_house_is_what_is_imported():
    """Each module or folder above all that it imports, as CONTRIBUTING.md draws it; and nowhere in a circle."""
    imports = imports_of_modules()
    drawn = PICTURE.search((ROOT / "CONTRIBUTING.md").read_text("utf-8"))[0]
    assert drawn == picture(floors(imports)), "run: python tools/floors.py"
    list(TopologicalSorter({name: others - {"aae_core"} for name, others in imports.items()}).static_order())


def test_a_module_stands_above_all_that_it_imports():
    house = {
        "aae_core": set(),
        "aae_core.low": {"aae_core"},
        "aae_core.beside": set(),
        "aae_core.rooms": {"aae_core.low"},
        "aae_core.rooms.one": {"aae_core.low", "aae_core.rooms"},
        "aae_core.high": {"aae_core.rooms.one", "aae_core.low"},
    }
    assert floors(house) == [["beside", "low"], ["rooms"], ["high"]]
    with pytest.raises(CycleError):
        floors({"aae_core.a": {"aae_core.b"}, "aae_core.b": {"aae_core.a"}})

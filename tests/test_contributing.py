"""What CONTRIBUTING.md says of adding something, done as it says in a copy of the project: no more is needed than that."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell

from build import build

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns("_build", ".*", "__pycache__", "*.safetensors")  # cards say what the weights reached


class Copy:
    """A copy of the project, to which something is added."""

    def __init__(self, folder: Path) -> None:
        self.folder = shutil.copytree(ROOT, folder, ignore=LEFT_OUT)

    def write(self, name: str, before: str, text: str) -> None:
        """Puts a text into a file, before the one place that has these words."""
        whole = (self.folder / name).read_text("utf-8")
        assert whole.count(before) == 1, f"{name} has {before!r} {whole.count(before)} times"
        (self.folder / name).write_text(whole.replace(before, text + before), "utf-8")

    def run(self, *command: object) -> str:
        """What a module of the copy's prints."""
        settings = {key: value for key, value in os.environ.items() if not key.startswith(("AAE_", "PYTEST_"))}
        path = os.pathsep.join([str(self.folder), settings.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-m", *map(str, command)],
            cwd=self.folder,
            env=settings | {"PYTHONPATH": path, "COLUMNS": "200"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def test(self, *selection: str) -> None:
        """Asks tests of the copy, of which there has to be one."""
        said = self.run("pytest", "-q", "-p", "no:cacheprovider", *selection)
        assert " passed" in said and " skipped" not in said


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(tmp_path / "project")


RECIPE = """    Recipe(
        name="letters-narrow",
        chapter=10,
        summary="The letters once more.",
        build=letters_model,
        training=TrainingConfig(epochs=1, batch_size=256),
        told=True,
        dataset="letters",
        measures=("test_mse", "prior_swd"),
        practice=("paper: label to the decoder",),
    ),
"""


@pytest.mark.slow
def test_a_recipe_is_added_trained_and_kept(copy):
    """Of the letters, which are here in full: what is trained on fewer digits than MNIST's does not go into the zoo."""
    copy.write("aae_core/models/letters.py", '    Recipe(\n        name="letters"', RECIPE)
    assert "letters-narrow" in copy.run("aae_core", "recipes")
    run = copy.folder / "runs" / "letters-narrow"
    copy.run("aae_core", "train", "letters-narrow", "--device", "cpu", "--epochs", 1, "--out", run)
    copy.run("aae_core", "zoo", "add", run)
    kept = copy.folder / "aae_core" / "weights" / "letters-narrow"
    assert {"model.safetensors", "card.json"} <= {path.name for path in kept.iterdir()}
    assert {*json.loads((kept / "card.json").read_text())["measures"]} == {"test_mse", "prior_swd"}
    copy.write("tests/test_bars.py", '    "letters": [', '    "letters-narrow": ["test_mse < 1"],\n')
    copy.test(
        "tests/test_recipes.py", "tests/test_bars.py", "tests/test_training.py", "-k", "letters-narrow or stands_in"
    )


SET = """

def _read_stripes(place: Path) -> tuple[Arrays, Arrays, Sequence[str]]:
    with np.load(place / "stripes.npz") as kept:
        train, test = ((kept[part], kept[f"{part}_labels"]) for part in ("train", "test"))
    return train, test, ("low", "high")


def _stripes_files() -> dict[str, File]:
    return {"stripes.npz": File(("https://stripes.example/stripes.npz",), "CHECKSUM", 10_000_000)}"""


@pytest.mark.slow
def test_a_data_set_is_added_and_trained_on(copy):
    data = copy.folder / "stripes"
    data.mkdir()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (600, 1, 28, 28), dtype=np.uint8)
    labels = rng.integers(0, 2, 600)
    images[np.arange(600), 0, 14 * labels] = 255
    parts = {"train": images[:500], "train_labels": labels[:500], "test": images[500:], "test_labels": labels[500:]}
    np.savez(data / "stripes.npz", **parts)
    checksum = hashlib.md5((data / "stripes.npz").read_bytes()).hexdigest()

    others = "aae_core/data/others.py"
    copy.write(others, "*OWN)\n", '"stripes", ')
    copy.write(others, "\n\n\nSOURCES", SET.replace("CHECKSUM", checksum))
    copy.write(
        others, '}\n"""The sets', '    "stripes": Source("Stripes", "Stripes", ("stripes.npz",), _stripes_files),\n'
    )
    copy.write(others, '}\n"""Of those but MNIST', ', "stripes": _read_stripes')
    copy.write("aae_core/cli/options.py", '    folder = "folder"', '    stripes = "stripes"\n')

    run = copy.folder / "run"
    where = ("--dataset", "stripes", "--data", data, "--out", run)
    copy.run("aae_core", "train", "supervised", *where, "--device", "cpu", "--epochs", 1)
    card = json.loads((run / "card.json").read_text())
    assert card["data"]["dataset"] == "stripes" and card["data"]["classes"] == ["low", "high"]
    copy.test("tests/test_other_data.py", "-k", "command_line or mnist_is_loaded")


CHAPTER = """# Halves

```{admonition} In this chapter
:class: tip
**You learn** what a mean is. **You need** nothing. **Time** a minute.
```

## The mean

$$
m = \\tfrac12 (a + b)
$$ (eq-halves-mean)
"""
FIGURE = """fig, ax = plt.subplots()
plotting.draw_digits(ax, digits.test.pixels(slice(0, 8)), columns=4)
show(fig, "Look at the ink of eight held-out digits.", "Eight digits in two rows.")
ink = float(digits.test.pixels(slice(0, 100)).mean())
glue("ink", ink)
claim("Less than half of a picture is ink", ink < 0.5, ink=ink)"""
READING = """Less than half of a picture is ink: {glue:text}`ink:.2f` of it, by {eq}`eq-halves-mean`, in the data of {cite:t}`makhzani2015`.

## What this does not show

Pictures of other data.

## Exercises
"""
END = """## Check yourself

```{question}
What is the mean of 1 and 3?

- (x) 2
- ( ) 3

Half of their sum.
```

## Summary

A mean is half of a sum.

## Further reading

{cite:t}`makhzani2015`.
"""


def chapter_of(copy: Copy) -> Path:
    """A chapter with all the parts of the table, and nothing else, in place of those of the one that is copied."""
    book = copy.folder / "notebooks"
    page = nbformat.read(book / "05-style-and-content.ipynb", as_version=4)
    install = next(cell for cell in page.cells if "install" in cell.metadata.get("tags", []))
    imports = "import matplotlib.pyplot as plt\n\nimport aae_core\nfrom aae_core import plotting\n"
    imports += "from aae_core.notebook import check, claim, glue, setup, show, versions\n\nsetup()\ndigits = aae_core.load_digits()"
    exercises = []
    for n in range(1, 7):
        exercises += [
            new_markdown_cell(f"**{n}. Halves.** What is the mean of 0 and {n}?"),
            new_code_cell(f'answer = None  # your number\ncheck("mean", answer, expected={n} / 2)'),
            new_markdown_cell(f"```{{admonition}} Solution {n}\n:class: dropdown\nHalf of {n}.\n```"),
        ]
    page.cells = [
        install,
        new_markdown_cell(CHAPTER),
        new_code_cell(imports, metadata={"tags": ["hide-input"]}),
        new_code_cell(FIGURE),
        new_markdown_cell(READING),
        *exercises,
        new_markdown_cell(END),
        new_code_cell("versions(digits)"),
    ]
    path = book / "13-halves.ipynb"
    nbformat.write(page, path)
    return path


def add_to_toc(copy: Copy, path: Path) -> None:
    toc = yaml.safe_load((copy.folder / "_toc.yml").read_text("utf-8"))
    toc["parts"][1]["chapters"].append({"file": f"notebooks/{path.stem}"})
    (copy.folder / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False), "utf-8")


def test_a_chapter_is_added(copy):
    path = chapter_of(copy)
    add_to_toc(copy, path)
    copy.write(
        "tests/standing.yml", "A-training-well:\n", f"{path.stem}:\n- Look at the ink\n- Eight digits in two rows\n"
    )
    copy.write("book/notation.md", "| $I(y; z)$ |", "| $a$, $b$ | two numbers |\n")
    tests = ("tests/test_house.py", "tests/test_claims.py", "tests/test_notation.py")
    copy.test(*tests, "-k", f"{path.stem} or table_of_contents or bibliography")


@pytest.mark.slow
@pytest.mark.book
def test_an_added_chapter_is_built(copy):
    """In a book of itself: the others have no part in it."""
    path = chapter_of(copy)
    toc = {"format": "jb-book", "root": "book/bibliography", "chapters": [{"file": f"notebooks/{path.stem}"}]}
    (copy.folder / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    assert build(copy.folder) == ""
    page = (copy.folder / "_build" / "html" / "notebooks" / f"{path.stem}.html").read_text("utf-8")
    assert "of it, by" in page and "Eight digits in two rows." in page and "put your answer in place of None" in page


@pytest.mark.slow
@pytest.mark.browser
def test_an_explorer_is_added(copy):
    """Chapter 5's under another name: class, script and style sheet, and a line that names it to the tests."""
    home = copy.folder / "aae_core" / "explorers"
    for part in ("js/style.js", "css/style.css"):
        shutil.copy(home / part, home / part.replace("style.", "hand."))
    source = (home / "style.py").read_text("utf-8")
    (home / "hand.py").write_text(source.replace("StyleExplorer", "HandExplorer").replace('"style"', '"hand"'), "utf-8")
    copy.write("aae_core/explorers/__init__.py", '    "LaboratoryExplorer"', '    "HandExplorer": "hand",\n')
    examples = "tests/browser/examples.py"
    copy.write(examples, "CompareExplorer, DrawExplorer", "HandExplorer, ")
    case = (copy.folder / examples).read_text("utf-8").partition('    "style": Case(')[2].partition('    "walk": ')[0]
    case = '    "hand": Case(' + case.replace("StyleExplorer", "HandExplorer").replace("style.", "hand.")
    copy.write(examples, '    "style": Case(', case)
    copy.test("tests/browser/test_every_explorer.py", "-k", "hand")

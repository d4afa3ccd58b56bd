"""The project agrees with itself: versions, notebooks, table of contents, licences, style."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zlib
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import aae_core
from aae_core.recipes import RECIPES
from address import set_address
from colab import pins
from constraints import constraints

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CONSTRAINTS = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(r"(?m)^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"))
}
COLAB = pins("3.12")
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def requirements() -> list[Requirement]:
    """All that the environment of the tests has: not pyarrow and UMAP, for which one takes tens of megabytes by hand."""
    project = PROJECT["project"]
    extras = [lines for name, lines in project["optional-dependencies"].items() if name not in ("parquet", "umap")]
    lines = project["dependencies"] + [line for extra in extras for line in extra]
    return [requirement for requirement in map(Requirement, lines) if requirement.name != "aae-core"]


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:  # an unpacked archive is no repository
        return [path for path in ROOT.rglob("*") if path.is_file() and not {"_build", ".venv"} & set(path.parts)]
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def first_cell_with_code(notebook: dict) -> dict:
    return next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_what_was_tested_lies_in_the_range(requirement):
    tested = CONSTRAINTS.get(canonicalize_name(requirement.name))
    assert tested is not None, f"constraints.txt does not name {requirement.name}"
    assert tested in requirement.specifier


def test_tests_that_share_a_fixture_share_a_process(request):
    """pytest-xdist tells each test's group by its name; a version of pytest that it does not know shows none."""
    assert request.node.nodeid.endswith("@test_house") or "PYTEST_XDIST_WORKER" not in os.environ


def test_constraints_hold_on_every_platform():
    assert not [name for name in CONSTRAINTS if name.startswith(("nvidia-", "cuda-")) or name == "triton"]


def test_constraints_are_what_is_installed_here():
    """Else the tests say nothing about what a newcomer gets."""
    from importlib.metadata import version

    ours = {canonicalize_name(requirement.name) for requirement in requirements()}
    assert {name: Version(version(name).split("+")[0]) for name in ours} == {name: CONSTRAINTS[name] for name in ours}


def test_constraints_are_made_from_a_freeze():
    frozen = "torch==2.14.1+cpu\nnvidia-nccl-cu13==2.30\nJinja2==3.1.6\n-e /somewhere\ntriton==3.8.0\naae-core==0.1.0\n"
    lines = [line for line in constraints(frozen).splitlines() if not line.startswith("#")]
    assert lines == ["appnope==0.1.4", "colorama==0.4.6", "jinja2==3.1.6", "torch==2.14.1"]


def test_conda_environment_agrees():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    conda = [line for line in environment["dependencies"] if isinstance(line, str)]
    pip = next(line["pip"] for line in environment["dependencies"] if isinstance(line, dict))
    python = next(line.split("=")[1] for line in conda if line.startswith("python="))
    assert Version(python) in Requirement(f"python{PROJECT['project']['requires-python']}").specifier
    assert "--constraint constraints.txt" in pip
    extra = next(re.fullmatch(r"--editable \.\[(\w+)\]", line)[1] for line in pip if line.startswith("--editable"))
    assert extra in PROJECT["project"]["optional-dependencies"]
    for line in pip:  # whatever else is named must not contradict the other two
        if not line.startswith("--"):
            named = Requirement(line)
            assert CONSTRAINTS[canonicalize_name(named.name)] in named.specifier


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == aae_core.__version__
    assert "version" in PROJECT["project"]["dynamic"]


def test_colab_keeps_its_own_packages():
    """What Colab preinstalls satisfies the ranges, so that pip leaves it alone."""
    for requirement in map(Requirement, PROJECT["project"]["dependencies"]):
        assert Version(COLAB[requirement.name]) in requirement.specifier
        assert not any(clause.operator == "==" for clause in requirement.specifier), f"{requirement} is pinned"


@each_notebook
def test_notebook_is_committed_clean(path):
    notebook = json.loads(path.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    assert "widgets" not in notebook["metadata"]
    assert notebook["metadata"]["accelerator"] == "GPU"
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


@pytest.fixture
def saved_with_widgets():
    """A notebook as Jupyter saves it where "Save Widget State Automatically" is on, or Colab always."""
    from ipywidgets import IntSlider, Widget

    slider = IntSlider(3)
    state = Widget.get_manager_state()
    assert slider.model_id in state["state"]
    notebook = new_notebook(
        cells=[new_code_cell("1 + 1", execution_count=1, outputs=[new_output("execute_result", {"text/plain": "2"})])],
        metadata={"accelerator": "GPU", "widgets": {"application/vnd.jupyter.widget-state+json": state}},
    )
    yield notebook
    slider.close()


@pytest.mark.filterwarnings("ignore:Overriding existing pre_save_hook")  # by itself: traitlets checks it twice
def test_jupyter_saves_no_widget_state(saved_with_widgets, tmp_path):
    """With the settings that CONTRIBUTING.md names; ``test_jupyter.py`` has a running server save."""
    from jupyter_server.services.contents.largefilemanager import LargeFileManager
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("jupyter_server_config.py", str(ROOT / "tools")).load_config()
    manager = LargeFileManager(config=config, root_dir=str(tmp_path))
    manager.save({"type": "notebook", "format": "json", "content": saved_with_widgets}, "new.ipynb")
    manager.save({"type": "file", "format": "text", "content": "widgets"}, "new.txt")
    saved = nbformat.read(tmp_path / "new.ipynb", as_version=4)
    assert "widgets" not in saved.metadata and saved.metadata.accelerator == "GPU"
    assert saved.cells[0].outputs[0].data == {"text/plain": "2"}
    assert (tmp_path / "new.txt").read_text() == "widgets"


def test_a_commit_takes_outputs_and_widget_state_away(saved_with_widgets, tmp_path):
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    program, *options = shlex.split(next(hook["entry"] for hook in hooks if hook["id"] == "nbstripout"))
    path = tmp_path / "new.ipynb"
    nbformat.write(saved_with_widgets, path)
    subprocess.run([Path(sys.executable).with_name(Path(program).name), *options, path], check=True)
    stripped = nbformat.read(path, as_version=4)
    assert "widgets" not in stripped.metadata and stripped.metadata.accelerator == "GPU"
    assert stripped.cells[0].outputs == [] and stripped.cells[0].id == saved_with_widgets.cells[0].id


@each_notebook
def test_notebook_begins_with_installation_and_ends_with_versions(path):
    notebook = json.loads(path.read_text("utf-8"))
    first = "".join(first_cell_with_code(notebook)["source"])
    shape = "".join(first_cell_with_code(json.loads(NOTEBOOKS[0].read_text("utf-8")))["source"])
    assert first == shape, "the first cell is the same in every notebook; test_install_cell.py runs one"
    repository = re.search(r'(?m)^REPOSITORY = "(.*?)"', first)[1]
    assert repository == PROJECT["tool"]["aae-book"]["repository"], "run: make address REPOSITORY=…"
    last = notebook["cells"][-1]
    assert last["cell_type"] == "code"
    assert "versions(" in "".join(last["source"])


@each_notebook
def test_a_chapter_has_six_exercises_or_more_each_with_its_answer(path):
    """In the order of their numbers; the answer is folded, as words or as a cell, and bears the number of its exercise.

    The build runs each: a folded cell, or a cell that checks the reader's number.
    """
    cells = nbformat.read(path, as_version=4).cells
    lines = []
    for cell in cells:
        named = cell.metadata.get("mystnb", {}).get("code_prompt_show", "")
        folded = cell.cell_type == "code" and "hide-cell" in cell.metadata.get("tags", [])
        run = "RUN" if folded or "check(" in cell.source else ""
        lines.append(cell.source if cell.cell_type == "markdown" else f"ANSWER {named}\n{run}" if folded else run)
    text = "\n".join(lines).partition("\n## Exercises\n")[2].partition("\n## Check yourself\n")[0]
    _, *parts = re.split(r"(?m)^\*\*(\d+)\. ", text)
    exercises = dict(zip(map(int, parts[::2]), parts[1::2], strict=True))
    assert [*exercises] == [*range(1, 1 + len(parts) // 2)] and len(exercises) >= 6
    words = r"```\{admonition\} Solution \d+.*\n:class: dropdown\n\S"
    assert [n for n, task in exercises.items() if not re.search(rf"(?m)^(ANSWER|{words})", task)] == []
    assert [n for n, task in exercises.items() if not re.search(r"(?m)^RUN$", task)] == []
    numbers = {n: {int(found) for found in re.findall(r"Solution (\d+)", task)} for n, task in exercises.items()}
    assert {n: found for n, found in numbers.items() if found - {n}} == {}


@each_notebook
def test_notebook_says_what_its_figures_show(path):
    """Every figure is shown with words; a bare plt.show has none."""
    source = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"])
    assert "plt.show(" not in source


@each_notebook
def test_a_page_that_can_train_whole_has_the_button(path):
    """In its second cell of code, of recipes that there are; a page that does not read it has none."""
    code = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    _, setup, *others = [
        ast.parse("".join(line for line in cell.splitlines(True) if not line.startswith("%"))) for cell in code
    ]
    reads = {node.id for cell in others for node in ast.walk(cell) if isinstance(node, ast.Name)}
    given = [
        node.value
        for cell in [setup, *others]
        for node in ast.walk(cell)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FULL_RUN"
    ]
    assert len(given) == ("FULL_RUN" in reads)
    for call in given:
        named = {
            node.value for node in ast.walk(call) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert ast.unparse(call.func) == "full_run" and len(call.args) > 1 and named <= {*RECIPES}
        assert call in list(ast.walk(setup))


def test_no_folder_offers_a_thing_by_the_name_of_one_of_its_modules():
    """It would hide the module: ``aae_core.metrics.parzen`` would be a function or a module, as the order of imports has it."""
    hidden = []
    for path in (ROOT / "aae_core").rglob("__init__.py"):
        folder = ".".join(path.parent.relative_to(ROOT).parts)
        modules = {each.stem for each in path.parent.glob("*.py")} - {"__init__", "__main__"}
        offered = {name: getattr(importlib.import_module(folder), name, None) for name in modules}
        hidden += [f"{folder}.{name}" for name, each in offered.items() if not isinstance(each, ModuleType | None)]
    assert hidden == []


def test_every_chapter_is_in_the_table_of_contents():
    toc = (ROOT / "_toc.yml").read_text("utf-8")
    pages = {path.relative_to(ROOT).with_suffix("").as_posix() for path in [*NOTEBOOKS, *(ROOT / "book").glob("*.md")]}
    assert {page for page in pages if not re.search(rf"(root|file): {re.escape(page)}\s*$", toc, re.M)} == set()


def test_bibliography_holds_what_is_cited():
    texts = [path.read_text("utf-8") for path in [*NOTEBOOKS, *(ROOT / "book").glob("*.md")]]
    cited = {
        key for text in texts for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text) for key in keys.split(",")
    }
    known = re.findall(r"(?m)^@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text("utf-8"))
    assert {key.strip() for key in cited} <= set(known)
    assert len(known) == len(set(known))


def test_address_is_set_everywhere_at_once(tmp_path):
    address = "https://github.com/someone/aae-book"
    (tmp_path / "notebooks").mkdir()
    for path in [ROOT / "pyproject.toml", *NOTEBOOKS]:
        (tmp_path / path.relative_to(ROOT)).write_bytes(path.read_bytes())
    site = "https://someone.github.io/aae-book"
    assert len(set_address(tmp_path, address, site)) == 1 + len(NOTEBOOKS)
    written = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))
    assert urls_of(written) == written["project"]["urls"] == {"Repository": address, "Documentation": site}
    settings = written["tool"]["aae-book"]
    assert settings == {"repository": address, "branch": "main", "site": site}
    for path in NOTEBOOKS:
        notebook = json.loads((tmp_path / path.relative_to(ROOT)).read_text("utf-8"))
        assert f'REPOSITORY = "{address}"' in "".join(first_cell_with_code(notebook)["source"])
    assert set_address(tmp_path, address, site) == []
    set_address(tmp_path, "")
    assert tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))["project"]["urls"] == {}


def urls_of(project: dict) -> dict[str, str]:
    """The addresses that a package index shows, as the settings give them."""
    settings = project["tool"]["aae-book"]
    named = {"Repository": settings["repository"], "Documentation": settings["site"]}
    return {name: url for name, url in named.items() if url}


def test_a_package_index_shows_the_address_of_the_setting():
    assert PROJECT["project"]["urls"] == urls_of(PROJECT), "run: make address REPOSITORY=…"


def test_files_have_their_licences():
    assert "MIT License" in (ROOT / "LICENSE").read_text("utf-8")
    assert "CC BY 4.0" in (ROOT / "LICENSE-text").read_text("utf-8")
    vendor = ROOT / "book" / "_static" / "vendor"
    listed = (vendor / "README.md").read_text("utf-8")
    for path in vendor.rglob("*"):
        if path.suffix in {".js", ".woff", ".woff2"}:
            if (folder := path.relative_to(vendor).parts[0]) != "fonts":
                family, licence = folder, vendor / folder / "LICENSE"
            else:
                family = re.split(r"-latin", path.name)[0]
                licence = path.parent / f"{family}-LICENSE"
            assert family in listed, f"vendor/README.md does not name {path.name}"
            assert licence.exists(), f"{path.name} has no licence beside it"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_paths_that_are_named_exist(name):
    words = re.findall(r"(?:`|\]\()([\w./-]+)[`)#]", (ROOT / name).read_text("utf-8"))
    paths = {word for word in words if re.search(r"/|\.(cff|html|ipynb|md|py|toml|txt|ya?ml)$", word)}
    paths -= {path for path in paths if path.startswith(("_build/", ".venv/", "NN-"))}  # made by make, or an example
    # The package's layout is told from its own folder on, the book's from there.
    missing = {p for p in paths if not any((base / p).exists() for base in (ROOT, ROOT / "aae_core", ROOT / "book"))}
    assert paths and not missing


def test_the_readme_needs_no_file_beside_it_on_a_package_index():
    """What an index shows is made of the fragments that pyproject.toml names; there a link within the project leads nowhere."""
    text = (ROOT / "README.md").read_text("utf-8")
    hook = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    shown = ""
    for fragment in hook["fragments"]:
        assert fragment["path"] == "README.md"
        part = text.partition(fragment["start-after"])[2] if "start-after" in fragment else text
        shown += part.partition(fragment["end-before"])[0] if "end-before" in fragment else part
    addresses = re.findall(r"\]\(([^)]+)\)|(?:src|srcset|href)=\"([^\"]+)\"", shown)
    assert addresses and all("".join(pair).startswith("https://") for pair in addresses)
    assert shown.startswith("# ") and "make book" in shown[:1200]
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', text)
    assert len(pictures) == 2 and all((ROOT / picture).exists() for picture in pictures)
    assert "/README.md" in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]  # a wheel is made from it


def test_no_file_names_a_machine():
    named = re.compile(r"(?<![\w.])/(?:home|root|Users|work|farm)/\w+|(?<![\w.])/tmp/\w+")
    found = []
    for path in tracked_files():
        if path.suffix in {".woff2", ".safetensors", ".png"} or "vendor" in path.parts or path == Path(__file__):
            continue
        text = path.read_text("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in named.finditer(text)]
    assert found == []


def test_checkout_stays_small():
    sizes = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in tracked_files()}
    assert sum(sizes.values()) < 65e6
    left_out = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    packed = [name for name in sizes if name.startswith("aae_core/") and name not in left_out["exclude"]]
    wheel = sum(len(zlib.compress((ROOT / name).read_bytes())) for name in packed)
    assert wheel < 45e6  # what pages load, in half precision, and the letters, which are to be had nowhere else


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "--quiet"], ["ruff", "format", "--check", "--quiet"], ["codespell"]],
    ids=["lint", "format", "spelling"],
)
def test_style(command):
    tool = Path(sys.executable).with_name(command[0])
    done = subprocess.run([str(tool), *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

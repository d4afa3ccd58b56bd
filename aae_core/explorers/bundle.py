"""One text out of several ES modules, and one style sheet out of several: a widget may bring a single file of each.

The modules under ``js/`` import each other by relative paths. A notebook and the built page load the widget's
module from a text, from which nothing relative can be reached, and no page may ask another host; so each imported
module becomes a function that runs once, in the order of the imports. Each keeps its own scope, and no two names
can collide. Comments that document, ``/** … */``, stay behind.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from aae_core import palette

HERE = Path(__file__).parent
JS, CSS = HERE / "js", HERE / "css"
HOST = HERE / "host"
"""What starts widgets in a page without a kernel: the book's pages, the tests' and an explorer's as one file."""

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"([^"]+)";?[ \t]*$', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function\*?|const|class)\s+([A-Za-z_$][\w$]*))", re.MULTILINE)
_LITERAL = r"""\bimport\s*\(\s*["'`]"""  # what is imported from an address that was made is nobody's file
_NO_ENTRY = re.compile(rf"^import\b.*$|{_LITERAL}", re.MULTILINE)  # what an entry, which may export, must not have
_NO_PART = re.compile(rf"^(?:import\b|export\b).*$|{_LITERAL}", re.MULTILINE)
_DOC = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)

_DARK = (
    "html[data-theme=dark] .aae-explorer, "  # the book
    "body[data-jp-theme-light=false] .aae-explorer, "  # JupyterLab and Notebook 7
    "body.vscode-dark .aae-explorer, html[theme=dark] .aae-explorer"  # VS Code, Colab
)
_UNDECIDED = (  # no host says which theme it has, so the system does
    "html:not([data-theme], [theme]) body:not([data-jp-theme-light], .vscode-light, .vscode-dark) .aae-explorer"
)


class BundleError(ValueError):
    """A module that cannot become part of one text."""


def bundle_js(entry: Path) -> str:
    """The module `entry` with all that it imports, as the text of one module without imports.

    Raises:
        BundleError: an import that is not of the form ``import { a, b as c } from "./file.js"``, a file that is
            missing, a name that its module does not export, modules that import each other in a circle.
    """
    done: dict[Path, tuple[str, set[str]]] = {}  # in the order in which they must run; path → variable, exports
    texts: list[str] = []

    def add(path: Path, importers: tuple[Path, ...]) -> str:
        if path in importers:
            circle = " → ".join(step.name for step in (*importers[importers.index(path) :], path))
            raise BundleError(f"{path.name}: modules import each other in a circle: {circle}.")
        if not path.is_file():
            raise BundleError(f"{importers[-1].name if importers else 'bundle'}: there is no module {path}.")

        def binding(match: re.Match[str]) -> str:
            names, source = match.groups()
            if not source.startswith("."):
                raise BundleError(f"{path.name}: imports {source!r}; only files beside it can be bundled.")
            target = (path.parent / source).resolve()
            if target not in done:
                add(target, (*importers, path))
            variable, exports = done[target]
            wanted = [re.split(r"\s+as\s+", name.strip()) for name in names.split(",") if name.strip()]
            if missing := [name[0] for name in wanted if name[0] not in exports]:
                raise BundleError(f"{path.name}: {target.name} exports no {', '.join(missing)}.")
            return f"const {{ {', '.join(': '.join(name) for name in wanted)} }} = {variable};"

        text = _IMPORT.sub(binding, _DOC.sub("", path.read_text(encoding="utf-8")))
        exports = set(_EXPORT.findall(text))
        text = _EXPORT.sub("", text) if importers else text
        if found := (_NO_PART if importers else _NO_ENTRY).search(text):
            raise BundleError(f"{path.name}: cannot bundle {found[0]!r}; export functions, classes and constants.")
        if not importers:
            return text
        variable = f"${re.sub(r'[^A-Za-z0-9]', '_', path.stem)}_{len(done)}"
        done[path] = variable, exports
        result = f"return {{ {', '.join(sorted(exports))} }};"
        texts.append(f"// {path.name}\nconst {variable} = (() => {{\n{text}\n{result}\n}})();\n")
        return text

    last = add(entry.resolve(), ())
    return "\n".join([*texts, f"// {entry.name}\n{last}"])


def host_script() -> str:
    """The host as one script, not a module: a page that was opened from a disk may load no other."""
    return f"(() => {{\n{bundle_js(HOST / 'page.js')}\n}})();\n"


@cache
def bundle_css(*names: str) -> str:
    """The palette in both themes, then the style sheets ``css/<name>.css``, those that exist."""
    dark = palette.css(_DARK, palette.DARK | {"scheme": "dark"})
    system = f"@media (prefers-color-scheme: dark) {{ {palette.css(_UNDECIDED, palette.DARK | {'scheme': 'dark'})} }}\n"
    sheets = [path.read_text(encoding="utf-8") for name in names if (path := CSS / f"{name}.css").is_file()]
    return "\n".join([palette.css(".aae-explorer", palette.LIGHT | {"scheme": "light"}) + dark + system, *sheets])

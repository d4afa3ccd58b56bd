"""Sets the project's public address: ``python tools/address.py https://github.com/someone/aae-book`` ("" for none).

A second address is that of the built pages.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def set_address(root: Path, address: str, site: str = "") -> list[Path]:
    """Writes `address` into pyproject.toml and the notebooks' first cells under `root`, and `site` into the former.

    Returns:
        The files that changed.
    """
    project = root / "pyproject.toml"
    urls = ", ".join(f'{name} = "{url}"' for name, url in {"Repository": address, "Documentation": site}.items() if url)
    places = [
        (project, r'(?m)(^repository = )"[^"\n]*"', f'"{address}"'),
        (project, r'(?m)(^site = )"[^"\n]*"', f'"{site}"'),
        (project, r"(?m)(^urls = )\{[^}\n]*\}", f"{{ {urls} }}" if urls else "{}"),
    ]
    cell = (r'(REPOSITORY = )\\"[^"\n]*\\"', rf"\"{address}\"")
    places += [(path, *cell) for path in sorted((root / "notebooks").glob("*.ipynb"))]
    changed: list[Path] = []
    for file, pattern, value in places:
        old = file.read_text("utf-8")
        new = re.sub(pattern, lambda match, value=value: match[1] + value, old)
        if new != old:
            file.write_text(new, "utf-8")
            changed.append(file)
    return [*dict.fromkeys(changed)]


if __name__ == "__main__":
    given = [argument.rstrip("/") for argument in sys.argv[1:] or [""]]
    if len(given) > 2 or not all(re.fullmatch(r"(https://[\w./-]+)?", argument) for argument in given):
        sys.exit(
            "Name the address, and that of the built pages if there is one:\n"
            "make address REPOSITORY=https://github.com/someone/aae-book SITE=https://someone.github.io/aae-book"
        )
    for file in set_address(ROOT, *given):
        print(file.relative_to(ROOT))

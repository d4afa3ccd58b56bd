"""Sets the project's public address: ``python tools/address.py https://github.com/someone/aae-book`` ("" for none)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def set_address(root: Path, address: str) -> list[Path]:
    """Writes `address` into pyproject.toml and the notebooks' first cells under `root`; returns what changed."""
    places = {root / "pyproject.toml": r'(?m)(^repository = )"[^"\n]*"'}
    places |= dict.fromkeys(sorted((root / "notebooks").glob("*.ipynb")), r'(REPOSITORY = )\\"[^"\n]*\\"')
    changed = []
    for file, pattern in places.items():
        old = file.read_text("utf-8")
        quote = '"' if file.suffix == ".toml" else r"\""
        new = re.sub(pattern, lambda match, quote=quote: f"{match[1]}{quote}{address}{quote}", old)
        if new != old:
            file.write_text(new, "utf-8")
            changed.append(file)
    return changed


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.fullmatch(r"(https://[\w./-]+)?", sys.argv[1]):
        sys.exit('Name the address: make address REPOSITORY=https://github.com/someone/aae-book (or REPOSITORY="").')
    for file in set_address(ROOT, sys.argv[1].rstrip("/")):
        print(file.relative_to(ROOT))

"""The built book in one file: ``python tools/archive.py [TARGET]``. Unpacked anywhere, its pages work from the disk."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

HTML = Path(__file__).parents[1] / "_build" / "html"
NAME = "adversarial-autoencoders"
UNNEEDED = {".buildinfo", ".buildinfo.bak", "objects.inv"}  # what a later build, or another book, would ask for


def pack(site: Path, target: Path) -> int:
    """Packs the folder `site` into `target`, under one folder; returns the number of files."""
    files = sorted(path for path in site.rglob("*") if path.is_file() and path.name not in UNNEEDED)
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, f"{NAME}/{path.relative_to(site).as_posix()}")
    return len(files)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HTML.parent / f"{NAME}.zip"
    count = pack(HTML, target)
    size = target.stat().st_size / 1e6
    print(f"{target}: {count} files, {size:.0f} MB. Unpack it, and open {NAME}/index.html in a browser.")

"""Sphinx extension: a cache of notebooks' outputs for each state of what all of them depend on; jupyter-cache sees their cells only.

The project's own files are not among that: ``page_records.py`` knows which of them each page has read.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from platformdirs import user_cache_dir
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

PACKAGE = "aae_core"
# What has another processor's arithmetic, or another seed, computed here: see tools/machines.py.
ARITHMETIC = (
    "AAE_PRECISION",
    "AAE_SEED",
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "ONEDNN_MAX_CPU_ISA",
)
CACHES_KEPT = 3  # so that going back to other data, or other versions, does not run everything again


def package_folder() -> Path:
    """Where the installed package lies, found without running it (it imports torch)."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"The package {PACKAGE} is not installed here. Run: pip install -e '.[book]'")
    return Path(next(iter(spec.submodule_search_locations)))


def cache_folder() -> Path:
    """Where the package keeps MNIST, just as ``aae_core.data.cache_folder`` has it; that module imports torch."""
    return Path(os.environ.get("AAE_CACHE") or user_cache_dir(PACKAGE))


def needed(name: str, extra: str = "") -> dict[str, str]:
    """The installed distributions that `name` with its `extra` needs, directly or not, and their versions."""
    found, seen, waiting = {}, set(), [(name, ""), (name, extra)]
    while waiting:
        name, extra = key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # it may belong to another platform
            continue
        found[canonicalize_name(name)] = distribution.version
        for requirement in map(Requirement, distribution.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(requirement.name, chosen) for chosen in ("", *requirement.extras)]
    return found


def inputs_digest(data: str | None, cache: Path) -> str:
    """A hash of what every notebook's outputs depend on: what is installed, how it computes, and which digits there are.

    Args:
        data: the folder that holds the digits (``AAE_DATA``), if one is named.
        cache: where MNIST lies once it was downloaded; it is read only where no folder is named.

    Returns:
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, version in sorted(needed(PACKAGE, "book").items()):
        digest.update(f"{name}=={version}\0".encode())
    for name in ARITHMETIC:
        digest.update(f"{name}={os.environ.get(name, '')}\0".encode())
    # The source that load_digits would take. Files set aside as corrupt, and halves of a download, are none.
    folder, source = (Path(data), "data") if data else (cache / "MNIST" / "raw", "cache")
    for file in sorted(folder.rglob("*") if data else folder.glob("*-ubyte*")):
        if file.suffix != ".corrupt":
            digest.update(f"{source}/{file.relative_to(folder).as_posix()}:{file.stat().st_size}\0".encode())
    return digest.hexdigest()[:16]


def key_cache(app: Sphinx, config: Config) -> None:
    """Gives each state of the inputs its own notebook cache, and keeps the newest few."""
    base = Path(config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")
    cache = base / inputs_digest(os.environ.get("AAE_DATA"), cache_folder())
    cache.mkdir(parents=True, exist_ok=True)
    os.utime(cache)
    caches = [folder for folder in base.iterdir() if re.fullmatch(r"[0-9a-f]{16}", folder.name)]
    for old in sorted(caches, key=lambda folder: folder.stat().st_mtime, reverse=True)[CACHES_KEPT:]:
        shutil.rmtree(old)
    config.nb_execution_cache_path = str(cache)
    # A progress bar is of use while one waits. In a finished page it is a dead widget.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ["AAE_BUILD"] = "1"  # the package then keeps to itself what concerns the builder, and claims must hold


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the step to Sphinx's event."""
    app.connect("config-inited", key_cache, priority=3)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

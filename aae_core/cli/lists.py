"""Lists that change only with the package: they ship with it, so that who asks for one does not wait for torch.

``python tools/lists.py`` renews the shipped file. Where it is not of the recipes and records that are there, as while somebody
changes them, a list is made anew, and kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from aae_core.files import cache_folder, read_json

PACKAGE = Path(__file__).parents[1]
SHIPPED = Path(__file__).with_name("lists.json")
SOURCES = (
    "cards.py",
    "cli/lists.py",
    "models/*.py",
    "metrics/judge.py",
    "paper.py",
    "recipes.py",
    "records.py",
    "reproduce.py",
    "studies.py",
    "training/config.py",
    "training/recipe.py",
    "weights/*/*.json",
    "zoo.py",
)
"""Where what the lists say stands, seen from the package."""
Listing = TypeVar("Listing")


def state_of_sources() -> str:
    """A fingerprint of what stands in :data:`SOURCES`, whatever ends its lines."""
    found = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(PACKAGE.glob(pattern)):
            text = path.read_bytes().replace(b"\r\n", b"\n")
            found.update(f"{path.relative_to(PACKAGE).as_posix()} {len(text)}\n".encode() + text)
    return found.hexdigest()


def renew() -> None:
    """Writes the shipped file anew."""
    about = {"state": state_of_sources(), "recipes": _recipes(), "figures": _figures()}
    SHIPPED.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8", newline="\n")


def listed(name: str, make: Callable[[], Listing]) -> Listing:
    """The shipped list of that name, if it is of today's sources; else what `make` gives, as :func:`remembered` keeps it."""
    with suppress(OSError, ValueError, KeyError):
        shipped = read_json(SHIPPED)
        if shipped["state"] == state_of_sources():
            found: Listing = shipped[name]
            return found
    return remembered(name, make)


def state_of_package() -> str:
    """A fingerprint of the package's code and records: names, sizes and times of change."""
    found = [sys.version]
    for folder, _, names in os.walk(PACKAGE):
        for name in names:
            if name.endswith((".py", ".json")):
                about = os.stat(path := os.path.join(folder, name))
                found.append(f"{path} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()


def remembered(name: str, make: Callable[[], Listing]) -> Listing:
    """What `make` gives, which must be plain JSON, from the cache while no file of the package changes.

    A cache that cannot be read or written costs time and nothing else.
    """
    path, state = cache_folder() / "lists" / f"{name}.json", state_of_package()
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = read_json(path)
        if kept["state"] == state:
            found: Listing = kept["list"]
            return found
    made = make()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        try:
            partial.write_text(json.dumps({"state": state, "list": made}), "utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return made


def recipes() -> list[dict[str, Any]]:
    """What ``aae recipes`` says of each recipe."""
    return listed("recipes", _recipes)


def figures() -> dict[str, str]:
    """The table that ``aae reproduce`` prints of the recorded runs, as ``text`` and as ``json``."""
    return listed("figures", _figures)


def _recipes() -> list[dict[str, Any]]:
    from aae_core.recipes import FILES, RECIPES
    from aae_core.zoo import card

    rows = []
    for recipe in RECIPES.values():
        try:
            about = card(recipe.name)
        except ValueError:
            about = {}
        rows.append(
            {
                "name": recipe.name,
                "chapter": recipe.chapter or None,
                "file": FILES[recipe.name],
                "summary": recipe.summary,
                "epochs": recipe.training.epochs,
                "minutes": about["seconds"] / 60 if about else None,
                "machine": about.get("machine"),
                "practice": list(recipe.practice),
            }
        )
    return rows


def _figures() -> dict[str, str]:
    from aae_core import reproduce

    lines = reproduce.rows()
    return {"json": reproduce.as_json(lines), "text": reproduce.as_text(lines)}

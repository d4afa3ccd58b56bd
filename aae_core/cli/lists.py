"""Lists that change only with the package are made once and kept, so that whoever asks again does not wait for torch."""

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
Listing = TypeVar("Listing")


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
    return remembered("recipes", _recipes)


def figures() -> dict[str, str]:
    """The table that ``aae reproduce`` prints of the recorded runs, as ``text`` and as ``json``."""
    return remembered("figures", _figures)


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

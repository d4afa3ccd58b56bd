"""The picture of the house in CONTRIBUTING.md: the package's modules and folders, each above all that it imports.

python tools/floors.py      draws it anew
"""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = re.compile(r"(?s)(?<=```text\n)[ \d]\d │.*?(?=```)")


def imports_of_modules() -> dict[str, set[str]]:
    """Which modules of the package each one imports, by their dotted names."""
    paths = sorted((ROOT / "aae_core").rglob("*.py"))
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    imports: dict[str, set[str]] = {name: set() for name in named}
    for name, path in named.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in named:
                imports[name] |= {
                    inner if (inner := f"{node.module}.{alias.name}") in named else node.module for alias in node.names
                }
            elif isinstance(node, ast.Import):
                imports[name] |= {alias.name for alias in node.names if alias.name in named}
    return imports


def floors(imports: dict[str, set[str]]) -> list[list[str]]:
    """Modules and folders from the lowest floor up, each one above the highest that it imports.

    Raises:
        graphlib.CycleError: two import each other.
    """
    rooms: dict[str, set[str]] = {}
    for module, others in imports.items():
        room = (module.split(".") + [""])[1]
        if room and not room.startswith("__"):
            rooms.setdefault(room, set()).update({other.split(".")[1] for other in others - {"aae_core"}} - {room})
    height: dict[str, int] = {}
    for room in TopologicalSorter(rooms).static_order():
        height[room] = 1 + max((height[other] for other in rooms[room]), default=-1)
    return [sorted(room for room in rooms if height[room] == floor) for floor in range(1 + max(height.values()))]


def picture(house: list[list[str]]) -> str:
    """The floors as lines, the highest first; a folder ends in a stroke."""
    lines = []
    for floor, rooms in reversed([*enumerate(house)]):
        named = (f"{room}/" if (ROOT / "aae_core" / room).is_dir() else room for room in rooms)
        lines.append(f"{floor:2} │ {'   '.join(named)}\n")
    return "".join(lines)


if __name__ == "__main__":
    page = ROOT / "CONTRIBUTING.md"
    page.write_text(PICTURE.sub(picture(floors(imports_of_modules())), page.read_text("utf-8")), "utf-8")

"""What makes a run the one that it is: its model as built, its data, its settings; and how two runs differ."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from aae_core.data import Digits


def checksum(data: Digits) -> list[int]:
    """CRC-32 of the images and of the labels: enough to tell two sets apart that nobody means to confuse."""
    return [zlib.crc32(part.cpu().contiguous().numpy().data) for part in (data.images, data.labels)]


def describe_model(model: nn.Module) -> dict[str, Any]:
    """A model as it is built, as plain data: its class, its options, and the layers of its parts."""

    def plain(value: object) -> object:
        if isinstance(value, Tensor):
            return value.tolist()
        if isinstance(value, Mapping):
            return {str(name): plain(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        if isinstance(value, nn.Module):
            return repr(value)
        if hasattr(value, "__dict__"):  # a prior, a corruption
            return {"kind": type(value).__name__} | {
                name: plain(each) for name, each in vars(value).items() if not name.startswith("_")
            }
        return value if value is None or isinstance(value, bool | int | float | str) else type(value).__name__

    own = {name: value for name, value in vars(model).items() if name != "training" and not name.startswith("_")}
    return {
        "model": type(model).__name__,
        "options": {name: plain(value) for name, value in own.items()},
        "layers": {
            name: [repr(layer) for layer in part.modules() if not list(layer.children())]
            for name, part in model.named_children()
        },
    }


def difference(name: str, theirs: object, ours: object) -> str:
    """How two runs differ in what stands under `name`, down to the first entry that is another."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        odd = next(key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key))
        return difference(f"{name}, {odd}", theirs.get(odd), ours.get(odd))
    return f"{name} {str(theirs)[:80]}, now {str(ours)[:80]}"


def but_for_length(run: dict[str, Any]) -> dict[str, Any]:
    """What makes a run the one that it is, whatever the number of its epochs."""
    rest = {name: value for name, value in run.items() if name not in ("epochs", "total_steps")}
    return rest | {"steps an epoch": run["total_steps"] // run["epochs"]}

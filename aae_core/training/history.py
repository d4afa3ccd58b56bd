"""What a run recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(repr=False)
class History:
    """What a run recorded: the mean of each loss over stretches of steps, what the run cost, and what was warned of."""

    steps: list[int] = field(default_factory=list)
    losses: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    epochs: int = 0
    precision: str = "float32"
    processes: int = 1
    warnings: list[str] = field(default_factory=list)

    def record(self, step: int, means: Mapping[str, float]) -> None:
        """Adds the mean losses of the steps up to `step`."""
        self.steps.append(step)
        for name, value in means.items():
            self.losses.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        """One line: a cell of a notebook that ends with a run shows it."""
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.losses.items())
        return f"History({self.steps[-1] if self.steps else 0:,} steps, {self.seconds:.1f} s: {last or 'no loss yet'})"

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> History:
        """What :meth:`as_dict` gave.

        Raises:
            TypeError: a field that there is none of, or of another type.
        """
        for name, value in told.items():
            if not isinstance(value, type(getattr(cls(), name, None))):
                raise TypeError(f"{name}: {value!r:.40}")
        if any(not isinstance(values, list) for values in told.get("losses", {}).values()):
            raise TypeError("losses: expected lists")
        return cls(**told)

    def as_dict(self) -> dict[str, object]:
        """The history as plain data, ready for JSON."""
        return asdict(self)

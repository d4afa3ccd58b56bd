"""What all explorers share on Python's side: the bundle of JavaScript and CSS, the still picture, the common traits."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any, ClassVar

import anywidget
import traitlets as t

from aae_core.explorers.bundle import JS, bundle_css, bundle_js

GREATEST_SEED = 9999
"""Of those that a reader may choose."""


def _bounded(validate: Callable[[Any, Any], Any], obj: Any, value: Any) -> Any:
    """What a trait's own `validate` gives; a whole number that no float can hold does not fit either."""
    try:
        return validate(obj, value)
    except OverflowError as error:
        raise t.TraitError(f"expected a number that a float can hold, got {str(value)[:40]}.") from error


class Code(t.List):  # type: ignore[type-arg]  # Colab has traitlets 5.7, whose List takes no type
    """A code as a trait: a list of finite numbers, `width` of them where that is given; arrays and tensors too."""

    def __init__(self, width: int | None = None, **options: Any) -> None:
        self.width = width
        super().__init__(t.Float(), default_value=[0.0] * (width or 0), **options)

    def validate(self, obj: Any, value: Any) -> list[float]:
        """The list, or TraitError saying what was expected and what came."""
        value = value.tolist() if hasattr(value, "tolist") else list(value) if isinstance(value, tuple) else value
        value = _bounded(super().validate, obj, value)
        if not all(map(math.isfinite, value)):
            raise t.TraitError(f"{self.name}: expected finite numbers, got {value}.")
        if self.width and len(value) != self.width:
            raise t.TraitError(f"{self.name}: expected {self.width} numbers, got {len(value)}.")
        return value


class Number(t.Float):  # type: ignore[type-arg]
    """A finite number in `least` … `most` as a trait."""

    def __init__(self, default: float, least: float = -math.inf, most: float = math.inf, **options: Any) -> None:
        self.least, self.most = least, most
        super().__init__(default, **options)

    def validate(self, obj: Any, value: Any) -> float:
        """The number, or TraitError saying what was expected and what came."""
        value = _bounded(super().validate, obj, value)
        if not (math.isfinite(value) and self.least <= value <= self.most):
            raise t.TraitError(f"{self.name}: expected a number in {self.least:g} … {self.most:g}, got {value}.")
        return value


class Drawing(t.List):  # type: ignore[type-arg]
    """What is drawn on a sheet of paper, as a trait: strokes, each [x0, y0, x1, y1, …] in 0 … 1 from the top left."""

    def __init__(self) -> None:
        super().__init__(Code(), help="strokes, each [x0, y0, x1, y1, …] in 0 … 1 from the top left")

    def validate(self, obj: Any, value: Any) -> list[list[float]]:
        """The strokes, or TraitError."""
        value = super().validate(obj, value)
        if any(not s or len(s) % 2 or not all(0 <= v <= 1 for v in s) for s in value):
            raise t.TraitError(f"{self.name}: expected strokes [x0, y0, x1, y1, …] of numbers in 0 … 1.")
        return value


class Explorer(anywidget.AnyWidget):
    """An anywidget whose JavaScript is ``js/<entry>.js`` with all that it imports, and whose state lives in traits.

    A subclass sets `entry`, adds traits tagged ``sync=True``, and fills `poster`. It is a widget like any other: it
    goes into boxes, can be observed and linked. Its text traits travel as text, never as binary buffers, which
    Colab's widget manager can drop.
    """

    entry: ClassVar[str] = ""

    title = t.Unicode(help="what a screen reader calls the explorer").tag(sync=True)
    name = t.Unicode(help="its name in the page's address; two on a page should differ").tag(sync=True)
    poster = t.Unicode(help="the still picture: a PNG as base64 text").tag(sync=True)
    poster_alt = t.Unicode(help="the still picture in words").tag(sync=True)
    room: t.List[float] = t.List(
        help="its height in a column W pixels wide, so that a page can keep the place: [a, b, c, d] for a·W + b, "
        "and c·W + d where W is at most 560; empty if nobody knows"
    ).tag(sync=True)

    def __init_subclass__(cls, **options: Any) -> None:
        if entry := cls.__dict__.get("entry"):
            cls._esm = bundle_js(JS / f"{entry}.js")
            parents = [kind.__dict__["entry"] for kind in reversed(cls.__mro__) if kind.__dict__.get("entry")]
            cls._css = bundle_css("base", *parents)  # its own comes last
        super().__init_subclass__(**options)

    @t.validate("name")
    def _check_name(self, proposal: dict[str, Any]) -> str:
        name = proposal["value"]
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise t.TraitError(f"name: expected letters, digits, - and _, for it goes into an address; got {name!r}.")
        return name

    @staticmethod
    def check_code(proposal: dict[str, Any], width: int) -> list[float]:
        """The value of a proposed code, or TraitError if it is not `width` numbers long."""
        if len(value := proposal["value"]) != width:
            raise t.TraitError(f"{proposal['trait'].name}: expected {width} numbers, got {len(value)}.")
        return value

    @staticmethod
    def check_index(proposal: dict[str, Any], count: int) -> Any:
        """The value of a proposed choice, or TraitError if it is neither None nor 0 … `count` − 1."""
        value = proposal["value"]
        if value is not None and not 0 <= value < count:
            raise t.TraitError(f"{proposal['trait'].name}: expected None or 0 … {count - 1}, got {value}.")
        return value

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None and self.poster:
            bundle[0]["image/png"] = base64.b64decode(self.poster)  # for places that show a notebook and run nothing
        return bundle

"""How an object was made, as plain data, and the object made again: a run's folder alone gives back its model.

What is made again is code of this package, never code that a file brings along.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib import import_module
from math import inf, prod
from numbers import Integral, Real
from typing import Any, Self, cast

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

Construction = dict[str, Any]
"""``{"class": "aae_core.priors.Gaussian", "arguments": {"dim": 2}}``: ready for JSON."""
UNKNOWN = "unknown"


class AtMost(TorchDispatchMode):
    """Within it no more than `most` numbers are made in new tensors: a size is looked at before memory is taken for it.

    Args:
        refusal: what to say of more.

    Raises:
        ValueError: they are more.
    """

    def __init__(self, most: int, refusal: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.left, self.refusal = most, refusal

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Torch would import its compiler to keep it out of here, which takes as long as all the rest of torch."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        sizes = args[0] if args and isinstance(args[0], list | tuple) else args  # of zeros and the like; of a range
        if sizes and all(isinstance(size, int | float) for size in sizes):
            self.left -= prod(sizes) if sizes is not args else max(map(abs, sizes))
        if self.left < 0:
            raise ValueError(self.refusal)
        return func(*args, **(kwargs or {}))


class Constructed:
    """Remembers the arguments that it was made with, as plain data.

    Raises:
        ValueError: an argument is no number of the kind that its annotation asks for, or a weight or penalty below zero.
    """

    _arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        with suppress(TypeError):  # a copy is made without arguments; of a wrong call __init__ itself complains
            bound = inspect.signature(cls.__init__).bind(self, *args, **kwargs)
            named = dict(list(bound.arguments.items())[1:])
            for name, parameter in bound.signature.parameters.items():
                if parameter.kind is parameter.VAR_KEYWORD:
                    named |= named.pop(name, {})
            for name, value in named.items():
                _check_number(name, _annotation(cls, name), value)
            self.__dict__["_arguments"] = {name: plain(value) for name, value in named.items()}
        return self


def _annotation(kind: type, name: str) -> object:
    """What the class, or the nearest of its bases that has such an argument, says of it."""
    for each in kind.__mro__:
        if (parameter := inspect.signature(each.__init__).parameters.get(name)) is not None:  # type: ignore[misc]
            return parameter.annotation
    return None


def _check_number(name: str, annotation: object, value: object) -> None:
    for kind, wanted, annotated in ((Integral, "a whole number", "int"), (Real, "a number", "float")):
        if annotation == annotated and (isinstance(value, bool) or not isinstance(value, kind)):
            raise ValueError(f"{name}: expected {wanted}, got {value!r}.")
    if name.endswith(("_weight", "_penalty")) and isinstance(value, Real) and not 0 <= float(value) < inf:
        raise ValueError(f"{name}: expected a number of at least 0, got {value!r}.")


def plain(value: object) -> Any:
    """An argument as plain data; what could not be made again from it is ``{"unknown": …}``."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Real):  # NumPy's
        return int(value) if isinstance(value, Integral) else float(value)
    if isinstance(value, list | tuple | torch.Size):
        return [plain(each) for each in value]
    if isinstance(value, Constructed):
        return construction_of(value)
    name = type(value).__name__
    if isinstance(value, nn.Module) and type(value) is getattr(nn, name, None) and repr(value) == f"{name}()":
        return {"class": f"torch.nn.{name}", "arguments": {}}
    return {UNKNOWN: name}


def construction_of(made: Constructed) -> Construction:
    """How `made` was made: its class and its arguments."""
    kind = type(made)
    return {"class": f"{kind.__module__}.{kind.__qualname__}", "arguments": made._arguments}


def construct(how: object) -> Any:
    """What was described by :func:`construction_of`, made again.

    Raises:
        ValueError: a class of another package's, or an argument that could not be described.
    """
    if isinstance(how, list):
        return [construct(each) for each in how]
    if not isinstance(how, Mapping):
        return how
    if UNKNOWN in how:
        raise ValueError(f"made with an object of class {how[UNKNOWN]}, which cannot be made again from a description.")
    return class_of(how)(**{name: construct(value) for name, value in how["arguments"].items()})


def class_of(how: Mapping[str, Any]) -> type:
    """The class of a construction.

    Raises:
        ValueError: it is none of this package's that can be made from plain data, nor an activation of torch's.
    """
    module, _, name = str(how.get("class")).rpartition(".")
    kind = None
    if module == "torch.nn":
        kind = getattr(nn, name, None)
        kind = kind if isinstance(kind, type) and kind.__module__ == "torch.nn.modules.activation" else None
    elif module.split(".")[0] == "aae_core":
        with suppress(ImportError):
            kind = getattr(import_module(module), name, None)
            kind = kind if isinstance(kind, type) and issubclass(kind, Constructed) else None
    if kind is None:
        raise ValueError(
            f"{how.get('class')}: a class of a script of yours, or of another version. Pass the model itself, in Python: aae_core.load(folder, model=…)."
        )
    return kind


def options_of(kind: type) -> tuple[str, ...]:
    """The names of a class's arguments, with those that it hands on to the class above it."""
    names: dict[str, None] = {}
    for each in kind.__mro__:
        if "__init__" not in vars(each):
            continue
        parameters = inspect.signature(vars(each)["__init__"]).parameters.values()
        names |= dict.fromkeys(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return tuple(name for name in names if name != "self")


def changed(how: Construction, changes: Mapping[str, object]) -> Construction:
    """The construction with other arguments; ``prior.dim`` names an argument of an argument.

    Raises:
        ValueError: a name that the class does not have; the message suggests one that is near.
    """
    arguments = dict(how["arguments"])
    for name, value in changes.items():
        first, _, rest = name.partition(".")
        known = options_of(class_of(how))
        if first not in known:
            raise ValueError(
                f"{first}: {how['class'].rpartition('.')[2]} has no such option.{suggestion(first, known)}"
            )
        inner = arguments.get(first)
        if rest and not (isinstance(inner, Mapping) and "class" in inner):
            raise ValueError(f"{name}: {first} has no options of its own.")
        if not rest:
            old = inner if inner is not None else _default(class_of(how), first)
            if isinstance(old, list | tuple) and isinstance(value, int | float) and not isinstance(value, bool):
                value = [value]  # a list of one, as hidden=32
            _check_kind(first, old, value)
        arguments[first] = changed(cast(Construction, inner), {rest: value}) if rest else plain(value)
    return {"class": how["class"], "arguments": arguments}


def _default(kind: type, name: str) -> object:
    """What an argument of a class is if it is left out; None where it has no default."""
    for each in kind.__mro__:
        if "__init__" in vars(each):
            parameter = inspect.signature(vars(each)["__init__"]).parameters.get(name)
            if parameter is not None:
                return None if parameter.default is parameter.empty else parameter.default
    return None


def _check_kind(name: str, old: object, new: object) -> None:
    """Raises ValueError where a value is of another kind than the one in whose place it comes."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "True or False"),
        ((int, float), "a number"),
        (str, "a word"),
        ((list, tuple), "numbers with commas between them"),
    )
    if isinstance(new, Constructed):  # what a place takes that is no plain data, its class says
        return
    if isinstance(old, Mapping) and str(old.get("class")).startswith("aae_core.priors."):
        raise ValueError(f"{name}: expected a prior by its name, such as ring, got {new!r:.60}.")
    for kind, words in kinds:
        if isinstance(old, kind):
            if not isinstance(new, kind) or (isinstance(new, bool) and kind is not bool):
                raise ValueError(f"{name}: expected {words}, got {new!r:.60}.")
            return


def suggestion(name: str, known: Collection[str]) -> str:
    """A sentence that names what is nearest to `name`, or all there is."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(near)}?" if near else f" There are: {', '.join(known)}."


def one_line(error: Exception) -> str:
    """What an error says, torch's of many lines too, in one that is not too long to be read."""
    return " ".join(str(error).split())[:300]

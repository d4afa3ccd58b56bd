"""Altered files of every kind that the package reads: each is read, or refused in words that name it.

    python tests/fuzz.py FILES SEED FOLDER [KIND …]

Each file is written to FOLDER before it is read, so that the one on which a process died lies there: it dies of five
seconds of the processor for one file, or of minutes in which it waits, and cannot take more than a gigabyte of memory beyond what it began with.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
import os
import pickle
import resource
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from aae_core import cards, data, provenance, zoo
from aae_core.data import Digits
from aae_core.explorers import load_page_model
from aae_core.export import PackedMLP, pack_mlp
from aae_core.models import AdversarialAutoencoder
from aae_core.priors import Gaussian
from aae_core.scoring import threshold, usual
from aae_core.training import CARD, CHECKPOINT, WEIGHTS, TrainingConfig, TrainingError, fit
from aae_core.training.checkpoint import read as read_checkpoint
from aae_core.training.checkpoint import write as write_checkpoint

SECONDS, BYTES = 5, 10**9
PATIENCE = 600
"""Seconds by the clock after which a read waits for something that does not come; a busy machine may take long."""
NUMBERS = [0, 1, -1, 2, 3, 9, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1, 10**30]
ODD = [
    *NUMBERS,
    0.5,
    -0.0,
    1e-320,
    1e308,
    math.inf,
    -math.inf,
    math.nan,
    None,
    True,
    False,
    "",
    "x",
    "\0",
    "é𝄞",
    "9" * 5000,
]
ODD += [
    [],
    {},
    [[]],
    [1, 28, 28],
    [1, 4000, 4000],
    [2**31, 2**31],
    {"class": "os.system", "arguments": {}},
    {"unknown": 1},
]
CELLS = [
    "",
    "x",
    '"',
    "'",
    "\0",
    ";",
    "\t",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "9" * 400,
    "-",
    "é𝄞",
    "x" * 9000,
    "0x10",
    "1,5",
]


class Code:
    """An object that runs code when it is unpickled: here it would leave a file behind."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("open('unpickled', 'w').close()",)


def torch_pickle() -> bytes:
    kept = io.BytesIO()
    torch.save({"weights": torch.zeros(3), "code": Code()}, kept)
    return kept.getvalue()


OTHERS = [
    b"",
    b"\0",
    pickle.dumps(Code()),
    torch_pickle(),
    b"<!DOCTYPE html><title>403</title>",
    b"[" * 100_000,
    b"PK\3\4",
]


def places(size: int) -> st.SearchStrategy[int]:
    """Where a file is altered; half of the time near its beginning, where its head is."""
    last = max(size - 1, 0)
    return st.one_of(st.integers(0, min(last, 300)), st.integers(0, last))


def written(number: int, kind: str) -> bytes:
    """A number as files hold one."""
    return struct.pack(kind, number % 256 ** struct.calcsize(kind))


def splices(content: bytes, at: int) -> st.SearchStrategy[tuple[bytes, int]]:
    """What comes at a place of a file, and how many bytes it takes the place of."""
    there = content[at] if content else 0
    binary = st.binary(min_size=1, max_size=8)
    numbers = st.builds(written, st.sampled_from(NUMBERS), st.sampled_from(["<I", ">I", "<Q", ">Q", "<H", ">H"]))
    return st.one_of(
        st.integers(0, 7).map(lambda bit: (bytes([there ^ 1 << bit]), 1)),
        binary.map(lambda new: (new, len(new))),
        st.just((b"", len(content))),
        st.sampled_from([1, 2, 7, 64, 1000]).map(lambda lost: (b"", lost)),
        st.binary(min_size=1, max_size=30).map(lambda new: (new, 0)),
        st.just((content[at : at + 64], 0)),
        numbers.map(lambda new: (new, len(new))),
        st.sampled_from(NUMBERS).map(lambda number: (str(number).encode(), 1)),
    )


@st.composite
def bytes_altered(draw: st.DrawFn, content: bytes) -> bytes:
    """A file with some bytes changed, lost, added, or put twice; seldom another file altogether."""
    if draw(st.integers(0, 39)) == 0:
        return draw(st.sampled_from(OTHERS) | st.binary(max_size=200))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(places(len(content)))
        new, lost = draw(splices(content, at))
        content = content[:at] + new + content[at + lost :]
    return content


def inner(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """The place of everything in plain data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield (*path, key)
        yield from inner(each, (*path, key))


@st.composite
def data_altered(draw: st.DrawFn, plain: Any) -> Any:
    """Plain data in which some values are others, some are missing, some stand elsewhere."""
    plain = deepcopy(plain)
    for _ in range(draw(st.integers(1, 3))):
        if not (paths := list(inner(plain))):
            break
        *way, last = draw(st.sampled_from(paths))
        holder = plain
        for key in way:
            holder = holder[key]
        match draw(st.sampled_from(["odd", "odd", "odd", "lose", "move", "name"])):
            case "odd":
                holder[last] = deepcopy(draw(st.sampled_from(ODD)))
            case "lose":
                del holder[last]
            case "move":
                other = plain
                for key in draw(st.sampled_from(paths)):
                    with suppress(LookupError, TypeError):
                        other = other[key]
                holder[last] = deepcopy(other)
            case "name" if isinstance(holder, dict):
                holder[draw(st.sampled_from(["", "class", "arguments", "0", str(last) + " "]))] = holder.pop(last)
    return plain


@st.composite
def tensors_altered(draw: st.DrawFn, content: bytes, within: str | None = None) -> bytes:
    """A safetensors file whose head is altered as data; of a checkpoint, what it holds `within` the head, too."""
    size = int.from_bytes(content[:8], "little")
    head, rest = json.loads(content[8 : 8 + size]), content[8 + size :]
    if within and draw(st.booleans()):
        head["__metadata__"][within] = json.dumps(draw(data_altered(json.loads(head["__metadata__"][within]))))
    else:
        head = draw(data_altered(head))
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + rest


@st.composite
def cells_altered(draw: st.DrawFn, content: bytes) -> bytes:
    """A table some of whose cells are others, or too few, or too many."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    for _ in range(draw(st.integers(1, 4))):
        row = rows[draw(st.sampled_from([0, 1, len(rows) // 2, len(rows) - 1]))]
        column = draw(st.integers(0, max(len(row) - 1, 0)))
        match draw(st.sampled_from(["odd", "odd", "whole", "lose", "more"])):
            case "odd":
                row[column : column + 1] = [draw(st.sampled_from(CELLS))]
            case "whole":
                cell = draw(st.sampled_from(CELLS))
                for each in rows[1:]:
                    each[column : column + 1] = [cell]
            case "lose":
                del row[column:]
            case "more":
                row += ["1"] * draw(st.sampled_from([1, 2, 500]))
    separator = draw(st.sampled_from([",", ",", ";", "\t", " ", "x"]))
    return "\n".join(separator.join(row) for row in rows).encode()


# what is altered, and how it is read


def small(image_shape: Sequence[int] = data.IMAGE_SHAPE) -> AdversarialAutoencoder:
    torch.manual_seed(0)
    return AdversarialAutoencoder(Gaussian(2), hidden=(8,), discriminator_hidden=(8,), image_shape=image_shape)


def a_run(folder: Path, splits: data.Splits | None = None) -> tuple[bytes, bytes]:
    """Weights and card of a small model, by default of digits."""
    from aae_core.metrics import Measure
    from aae_core.recipes import Recipe
    from aae_core.training import History

    config = TrainingConfig(epochs=1, device="cpu")
    made_by = Recipe("mine", 0, "small", lambda shape, classes: small(shape), config, ("test_mse",))
    history = History(steps=[10], losses={"reconstruction": [0.1]}, epochs=1)
    measures = {"test_mse": Measure(0.1, 0.2, "the mean image")}
    splits = splits or data.embedded()
    zoo.save(small(splits.image_shape).eval(), folder, made_by, history, splits, measures)
    about = json.loads((folder / CARD).read_text()) | {"usual": usual(zoo.load(folder), splits.validation)}
    (folder / CARD).write_text(json.dumps(about, indent=1))
    return (folder / WEIGHTS).read_bytes(), (folder / CARD).read_bytes()


def a_checkpoint(folder: Path) -> bytes:
    fit(small(), FEW, CONFIG, folder=folder, progress=False)
    return (folder / CHECKPOINT).read_bytes()


FEW = Digits(torch.arange(12 * 784).view(12, 1, 28, 28).to(torch.uint8), torch.arange(12) % 10)
CONFIG = TrainingConfig(epochs=1, batch_size=6, device="cpu", precision="float32", ema_decay=0.5)


def load_run(folder: Path, weights: bytes, card: bytes) -> None:
    """Loads a run as the commands do, and draws from it."""
    (folder / WEIGHTS).write_bytes(weights)
    (folder / CARD).write_bytes(card)
    about = zoo.card(folder)
    cards.measures_of(about), provenance.reading_of(about), provenance.classes_of(about)
    assert isinstance(about["seed"], int) and all(
        threshold(values, 0.05) is not None for values in about.get("usual", {}).values()
    )
    model = zoo.load(folder)
    with torch.no_grad():
        assert model.decode(model.prior.sample(2)).isfinite().all()


def fitting(weights: bytes, card: bytes) -> bytes:
    """The card with the checksum of these weights."""
    about = json.loads(card)
    about["weights"]["sha256"] = hashlib.sha256(weights).hexdigest()
    return json.dumps(about).encode()


def an_image(kind: str, mode: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 4), np.uint8)
    kept = io.BytesIO()
    Image.fromarray(pixels, "RGBA").convert(mode).save(kept, kind)
    return kept.getvalue()


def read_image(path: Path) -> None:
    items = data.read_folder(path.parent, announce=lambda line: None)
    assert items.images.shape == (1, 1, 28, 28)


def a_table() -> bytes:
    rows = [
        f"{k},{k / 7:.3f},{['red', 'green', 'blue'][k % 3]},{'' if k % 5 == 0 else k % 2},c{k % 3}" for k in range(40)
    ]
    return "\n".join(["whole,part,colour,gaps,class", *rows]).encode()


def read_table(path: Path) -> None:
    items = data.read_table(path, "class", announce=lambda line: None)
    assert np.isfinite(items.images).all()


def arrays(**named: np.ndarray) -> bytes:
    kept = io.BytesIO()
    np.savez_compressed(kept, **named) if len(named) > 1 else np.save(kept, *named.values())
    return kept.getvalue()


def an_idx(*shape: int) -> bytes:
    head = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    return head + bytes(k % 251 for k in range(math.prod(shape)))


def a_page_model() -> bytes:
    model = small_page_model()
    nets = {
        name: json.loads(pack_mlp(getattr(model, name).net).to_json())
        for name in ("encoder", "decoder", "discriminator")
    }
    about = {
        "prior": {"name": "drawn", "beads": [[0.0, 1.0], [1.0, 0.0]], "std": 0.3},
        "image_shape": [2],
        "weight": 1,
        "penalty": 0,
    }
    return json.dumps({"format": "aae-laboratory", "version": 1} | nets | about).encode()


def small_page_model() -> AdversarialAutoencoder:
    return AdversarialAutoencoder(Gaussian(2), hidden=(4,), discriminator_hidden=(4,), image_shape=[2])


def resume(path: Path) -> None:
    fit(small(), FEW, CONFIG, folder=path.parent, resume=True, progress=False)


def as_json(plain: bytes) -> st.SearchStrategy[bytes]:
    return data_altered(json.loads(plain)).map(lambda value: json.dumps(value).encode())


@dataclass(frozen=True)
class Kind:
    """A kind of file: what it is called, how one is altered, and what reads it."""

    name: str
    altered: st.SearchStrategy[bytes]
    read: Callable[[Path], object]


def idx_kind(gz: bool) -> Kind:
    plain = st.sampled_from([an_idx(5, 28, 28), an_idx(30)]).flatmap(bytes_altered)
    packed = plain.map(gzip.compress) | bytes_altered(gzip.compress(an_idx(5, 28, 28)))
    return Kind("train-images-idx3-ubyte" + ".gz" * gz, packed if gz else plain, data.read_idx)


def kinds(folder: Path) -> dict[str, Callable[[], Kind]]:
    """Of each kind of file, what makes it."""
    seeds = folder / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)

    def weights() -> Kind:
        good, card = a_run(seeds)
        altered = bytes_altered(good) | tensors_altered(good)
        return Kind(
            WEIGHTS, altered, lambda path: load_run(path.parent, path.read_bytes(), fitting(path.read_bytes(), card))
        )

    def card() -> Kind:
        good, about = a_run(seeds)
        altered = st.one_of(as_json(about), as_json(about), bytes_altered(about))
        return Kind(CARD, altered, lambda path: load_run(path.parent, good, path.read_bytes()))

    def checkpoint() -> Kind:
        good = a_checkpoint(seeds)
        tensors, about = read_checkpoint(seeds / CHECKPOINT)
        path = seeds / "again"

        def rewritten(about: dict[str, Any]) -> bytes:  # whole, with a checksum that is right
            write_checkpoint(path, tensors, about)
            return path.read_bytes()

        altered = st.one_of(bytes_altered(good), tensors_altered(good, "about"), data_altered(about).map(rewritten))
        return Kind(CHECKPOINT, altered, resume)

    def image() -> Kind:
        formats = [
            ("PNG", "RGBA"),
            ("PNG", "I;16"),
            ("JPEG", "RGB"),
            ("GIF", "P"),
            ("BMP", "L"),
            ("TIFF", "RGB"),
            ("WEBP", "RGB"),
        ]
        good = [an_image(kind, "L" if mode == "I;16" else mode) for kind, mode in formats]
        return Kind("image.png", st.sampled_from(good).flatmap(bytes_altered), read_image)

    def sketch() -> Kind:
        (seeds / "table.csv").write_bytes(a_table())
        learnt = data.read_table(seeds / "table.csv", "class", announce=lambda line: None).read_as["sketch"]

        def read(path: Path) -> None:
            data.read_table(
                seeds / "table.csv", "class", sketch=json.loads(path.read_text()), announce=lambda line: None
            )

        return Kind("sketch.json", as_json(json.dumps(learnt).encode()), read)

    def array(name: str, good: bytes) -> Kind:
        return Kind(name, bytes_altered(good), lambda path: data.read_array(path, announce=lambda line: None))

    images = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
    return {
        "weights": weights,
        "card": card,
        "checkpoint": checkpoint,
        "IDX": lambda: idx_kind(gz=False),
        "IDX, packed": lambda: idx_kind(gz=True),
        "image": image,
        "table": lambda: Kind("table.csv", bytes_altered(a_table()) | cells_altered(a_table()), read_table),
        "table's sketch": sketch,
        "array": lambda: array("array.npy", arrays(images=images)),
        "arrays": lambda: array("arrays.npz", arrays(images=images, labels=np.arange(4))),
        "page's model": lambda: Kind(
            "model.json", as_json(a_page_model()) | bytes_altered(a_page_model()), load_page_model
        ),
        "network": lambda: Kind(
            "network.json",
            as_json(network := pack_mlp(small_page_model().decoder.net).to_json().encode()) | bytes_altered(network),
            lambda path: PackedMLP.from_json(path.read_text("utf-8", "replace")),
        ),
    }


UNNAMED = ("network", "table's sketch")
"""What is read from plain data, not from a file: its errors know no name."""


def run(name: str, files: int, number: int, folder: Path) -> dict[str, object]:
    """Reads `files` different altered files of a kind; what came of them."""
    (place := folder / "read").mkdir(parents=True, exist_ok=True)
    kind = kinds(folder)[name]()
    came: Counter[str] = Counter()
    seen: set[bytes] = set()
    slowest = 0.0
    status = Path("/proc/self/status").read_text().split()
    memory = 1024 * int(status[status.index("VmData:") + 1])
    resource.setrlimit(resource.RLIMIT_DATA, (memory + BYTES, memory + BYTES))
    path = place / kind.name

    def tried(content: bytes) -> None:
        nonlocal slowest
        if (digest := hashlib.sha256(content).digest()) in seen or len(seen) == files:
            return
        path.write_bytes(content)
        begun = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            kind.read(path)
            came["read"] += 1
        except (ValueError, TrainingError) as error:
            came["refused"] += 1
            told = str(error)
            assert name in UNNAMED or path.name in told or str(place) in told, f"{error!r} names no file"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            slowest = max(slowest, time.process_time() - begun)
        assert not Path("unpickled").exists()
        seen.add(digest)  # one that fails is tried again

    while len(seen) < files:
        options = settings(max_examples=min(max(2 * files, 50), 1000), database=None, deadline=None, derandomize=False)
        quiet = settings(options, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink])
        seed(number)(quiet(given(kind.altered)(tried)))()
        number += 1
    return {"files": len(seen), **came, "slowest": round(slowest, 3)}


def run_all(files: int, number: int, folder: Path, *names: str) -> dict[str, dict[str, object]]:
    """:func:`run` of every kind, or of some, each in a process of its own, which may die."""
    found = {}
    for name in names or kinds(folder):
        place = folder / name
        place.mkdir()
        if not (child := os.fork()):
            os.chdir(place)
            (place / "came.json").write_text(json.dumps(run(name, files, number, place)))
            os._exit(0)
        if status := os.waitpid(child, 0)[1]:
            died = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "an exception"
            sys.exit(f"{name}: ended by {died}, at the file in {place / 'read'}")
        found[name] = json.loads((place / "came.json").read_text())
    return found


if __name__ == "__main__":
    import torch._dynamo  # the first optimizer does, which takes seconds: once, and not in each process

    torch.set_num_threads(1)
    print(json.dumps(run_all(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).resolve(), *sys.argv[4:])))

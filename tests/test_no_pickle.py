"""No file that the package writes, and none that ships with it or with the book, holds a pickle, whatever it is packed into."""

from __future__ import annotations

import gzip
import io
import lzma
import pickle
import pickletools
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from aae_command import done
from aae_core import zoo
from aae_core.data import embedded
from aae_core.training import CARD, CHECKPOINT, WEIGHTS
from test_house import tracked_files

PACKED = {b"\x1f\x8b": gzip.decompress, b"\xfd7zXZ": lzma.decompress}


def holds_pickle(content: bytes) -> bool:
    """Whether bytes are a pickle of any protocol, an array of objects, or an archive with either in it. None is run."""
    for magic, unpack in PACKED.items():
        if content.startswith(magic):
            return holds_pickle(unpack(content))
    if content.startswith(b"PK\x03\x04"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        return any(holds_pickle(archive.read(name)) for name in archive.namelist())
    if content.startswith(b"\x93NUMPY"):
        return b"|O" in content[:256]
    try:
        codes = [code.name for code, _, _ in pickletools.genops(content)]
    except Exception:  # of any kind, since these bytes may be anything
        return False
    return len(codes) > 1  # a lone dot, which ends a pickle, begins many a file


def pickles(files: Iterable[Path]) -> list[Path]:
    return [path for path in files if holds_pickle(path.read_bytes())]


def written(folder: Path) -> Iterator[Path]:
    """Every file that the commands leave behind: a run, whole and in the zoo, and what they make of it."""
    mine = folder / "mine"
    np.save(folder / "digits.npy", embedded().test.images[:20, 0].numpy())
    done("train", "aae-deterministic", "--epochs", 1, "--device", "cpu", "--out", mine)
    done("sample", mine, "--out", folder / "samples.png")
    done("encode", mine, "--data", folder / "digits.npy", "--out", folder / "codes.npz")
    done("export", mine, "--out", folder / "model.json")
    done("explore", mine, "--out", folder / "page.html")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo, "ZOO", folder / "zoo")
        patch.setattr(zoo, "FULL_CHECKSUM", zoo.card(mine)["data"]["checksum"])
        zoo.add(mine)
    yield from (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_every_protocol_is_known_however_it_is_packed(protocol, tmp_path):
    content = pickle.dumps({"a": [1, 2]}, protocol)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.bin", content)
    assert all(map(holds_pickle, (content, gzip.compress(content), lzma.compress(content), packed.getvalue())))
    torch.save({"a": torch.ones(2)}, tmp_path / "saved")
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    np.savez(tmp_path / "objects.npz", a=np.array([{}], object))
    np.savez(tmp_path / "numbers.npz", a=np.ones(2))
    assert [path.name for path in pickles(sorted(tmp_path.iterdir()))] == ["objects.npy", "objects.npz", "saved"]


def test_no_file_that_ships_is_a_pickle():
    assert pickles(tracked_files()) == []


def test_no_file_that_a_command_writes_is_a_pickle(tmp_path):
    found = [*written(tmp_path)]
    assert {CHECKPOINT, WEIGHTS, CARD, "samples.png", "codes.npz", "model.json", "page.html"} <= {
        path.name for path in found
    }
    assert pickles(found) == []


def test_no_file_of_the_built_book_is_a_pickle(book):
    assert pickles(path for path in book.folder.rglob("*") if path.is_file()) == []


@pytest.mark.slow
@pytest.mark.soak
def test_files_without_a_pickle_are_counted(tmp_path, record_figures):
    found = {"shipped": tracked_files(), "written": [*written(tmp_path)]}
    assert not any(map(pickles, found.values()))
    record_figures("pickles", found=0, **{kind: len(files) for kind, files in found.items()})

"""Altered files of every kind are read or refused in words, without a crash, within bounds of time and memory."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

import fuzz
from aae_core import data, zoo
from aae_core.construction import AtMost
from aae_core.data import DataError
from aae_core.explorers import load_page_model
from aae_core.training import CARD, CHECKPOINT, WEIGHTS, TrainingError, write_whole
from aae_core.training.checkpoint import read, write

linux = pytest.mark.skipif(sys.platform != "linux", reason="another system measures and bounds a process in other ways")


def altered(files: int, seed: int, folder: Path) -> dict[str, dict]:
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, fuzz.__file__, str(files), str(seed), str(folder)]
    done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    found = json.loads(done.stdout)
    assert all(came["files"] == files and came.get("refused", 0) > files // 20 for came in found.values()), found
    return found


@linux
def test_a_hundred_altered_files_are_read_or_refused(tmp_path):
    assert sum(came["files"] for came in altered(10, 0, tmp_path).values()) > 100


@linux
@pytest.mark.slow
@pytest.mark.soak
def test_ten_thousand_altered_files_are_read_or_refused(tmp_path, record_figures):
    files = -(-10_000 // len(fuzz.kinds(tmp_path / "none")))
    for kind, came in altered(files, 1, tmp_path / "files").items():
        record_figures(f"altered files: {kind}", **came)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return *fuzz.a_run(folder), folder


def again(folder: Path, state: dict[str, torch.Tensor], card: bytes) -> Path:
    """The run with other weights, of which its card is."""
    save_file(state, folder / WEIGHTS)
    (folder / CARD).write_bytes(fuzz.fitting((folder / WEIGHTS).read_bytes(), card))
    return folder


@pytest.mark.parametrize("content", [fuzz.OTHERS[2], fuzz.OTHERS[3]], ids=["pickle", "torch.save"])
def test_a_pickle_under_any_name_is_refused_with_the_reason_and_not_opened(run, tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    weights, card, _ = run
    readers = {
        "array.npy": data.read_array,
        "array.npz": data.read_array,
        "table.csv": data.read_table,
        "table.parquet": data.read_table,
        "model.json": load_page_model,
        CHECKPOINT: read,
        WEIGHTS: lambda path: fuzz.load_run(tmp_path, content, fuzz.fitting(content, card)),
        CARD: lambda path: fuzz.load_run(tmp_path, weights, content),
    }
    for name, reader in readers.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises((ValueError, TrainingError), match=f"{name}: .*pickle"):
            reader(tmp_path / name)
    assert not (tmp_path / "unpickled").exists()


def waits(*_):
    pytest.fail("it waits for what a pipe gives")


@pytest.fixture
def impatient():
    """A test that waits is ended."""
    before = signal.signal(signal.SIGALRM, waits)
    signal.setitimer(signal.ITIMER_REAL, fuzz.PATIENCE)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("array.npy", data.read_array),
        ("array.npz", data.read_array),
        ("table.csv", data.read_table),
        ("table.parquet", data.read_table),
        ("model.json", load_page_model),
        ("train-images-idx3-ubyte", data.read_idx),
        ("train-images-idx3-ubyte.gz", lambda path: data.read_idx(path.with_suffix(""))),
        ("images", data.read_folder),
        ("image.png", lambda path: data.read_folder(path.parent)),
        ("mnist", data.load_digits),
        (CHECKPOINT, read),
        (WEIGHTS, lambda path: zoo.load(path.parent)),
        (CARD, lambda path: zoo.load(path.parent)),
        ("run", zoo.load),
    ],
)
@linux
def test_a_pipe_is_refused_and_not_waited_for(name, reader, tmp_path, impatient):
    fuzz.a_run(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises((ValueError, TrainingError)) as caught:
        reader(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


@linux
def test_a_read_that_waits_ends_the_search(tmp_path, monkeypatch):
    """As one that takes long does; the process is a fork, which may die of it."""
    monkeypatch.setattr(fuzz, "PATIENCE", 0.5)
    os.mkfifo(tmp_path / "pipe")
    endless = fuzz.Kind("x", st.just(b"x"), lambda _: (tmp_path / "pipe").read_bytes())
    monkeypatch.setattr(fuzz, "kinds", lambda folder: {"endless": lambda: endless})
    with pytest.raises(SystemExit, match="endless: ended by SIGALRM"):
        fuzz.run_all(1, 0, tmp_path)


def test_an_array_of_objects_is_refused_with_the_reason(tmp_path):
    np.save(tmp_path / "array.npy", np.array([fuzz.Code()], object), allow_pickle=True)
    with pytest.raises(DataError, match=r"array.npy: .*Python objects"):
        data.read_array(tmp_path / "array.npy")
    assert not Path("unpickled").exists()


def test_weights_beyond_half_precision_are_kept_wider(tmp_path):
    model = fuzz.small()
    with torch.no_grad():
        model.decoder.net[0].bias[0] = 1e6
    state = zoo.half(model)
    wide = {name for name, value in state.items() if value.dtype == torch.float32}
    assert wide == {"decoder.net.0.bias"} and state["decoder.net.0.bias"][0] == 1e6
    zoo.round_weights(model)
    assert model.decoder.net[0].bias[0] == 1e6


def test_weights_that_are_not_finite_or_of_other_shapes_are_refused(run, tmp_path):
    _, card, _ = run
    state = zoo.half(fuzz.small())
    for name, value, message in (
        ("decoder.net.0.bias", torch.full((8,), torch.nan), "not finite"),
        ("decoder.net.0.bias", torch.zeros(9), "does not fit"),
    ):
        with pytest.raises(ValueError, match=message):
            zoo.load(again(tmp_path, state | {name: value}, card))


def test_a_card_of_a_model_larger_than_its_weights_takes_no_memory(run, tmp_path):
    weights, card, _ = run
    about = json.loads(card)
    about["configuration"]["construction"]["arguments"]["hidden"] = [100_000, 100_000]
    with pytest.raises(ValueError, match=r"card.json: .*numbers"):
        fuzz.load_run(tmp_path, weights, json.dumps(about).encode())
    with AtMost(10, "more than 10 numbers"):
        torch.zeros(3, 3)
        with pytest.raises(ValueError, match="10 numbers"):
            torch.arange(10**12)


def test_what_would_unpack_to_far_more_than_it_is_is_refused(tmp_path):
    with gzip.open(tmp_path / "images.gz", "wb", 1) as file:
        for _ in range(300):
            file.write(bytes(2**20))
    with pytest.raises(DataError, match=r"images.gz: .*more than"):
        data.read_idx(tmp_path / "images")
    (tmp_path / "folder").mkdir()
    Image.new("1", (10_000, 10_000)).save(tmp_path / "folder" / "a.png")
    with pytest.raises(DataError, match=r"a.png .*million pixels"):
        data.read_folder(tmp_path / "folder")
    head = np.lib.format.header_data_from_array_1_0(np.zeros((1, 9, 9), np.uint8)) | {"shape": (10**9, 9, 9)}
    with (tmp_path / "array.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, head)
    with pytest.raises(DataError, match=r"array.npy: .*promises"):
        data.read_array(tmp_path / "array.npy")
    with zipfile.ZipFile(tmp_path / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(300 * 2**20))
    with pytest.raises(DataError, match=r"arrays.npz: .*would unpack"):
        data.read_array(tmp_path / "arrays.npz")


def test_every_byte_of_a_checkpoint_counts(tmp_path):
    path = tmp_path / CHECKPOINT
    write(path, {"a": torch.arange(3.0)}, {"step": 1})
    good = path.read_bytes()
    tensors, about = read(path)
    assert about == {"step": 1} and tensors["a"].tolist() == [0, 1, 2]
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(TrainingError, match="damaged"):
            read(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_files_are_as_readable_as_the_umask_says(tmp_path):
    for mask, mode in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
        before = os.umask(mask)
        try:
            write_whole(tmp_path / f"{mask:o}", b"content")
            fuzz.a_run(tmp_path / f"run-{mask:o}")
        finally:
            os.umask(before)
        made = [tmp_path / f"{mask:o}", *(tmp_path / f"run-{mask:o}" / name for name in (WEIGHTS, CARD))]
        assert [path.stat().st_mode & 0o777 for path in made] == [mode] * 3

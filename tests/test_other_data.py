"""Other data through the same recipes: real files in the sets' own formats, where they are found, and what is refused."""

import gzip
import hashlib
import json
from contextlib import ExitStack

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import loadmat, savemat
from torchvision.datasets import SVHN, FashionMNIST

from aae_command import done, refused
from aae_core import data, metrics, zoo
from aae_core.cli import DatasetName
from aae_core.data import DATASETS, DataError, Digits, load_dataset
from aae_core.recipes import RECIPES, recipe
from local_server import served
from test_data import write_idx

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def nothing_at_hand(monkeypatch, tmp_path):
    """No folder that is named, an empty cache, no server that answers."""
    monkeypatch.delenv("AAE_DATA", raising=False)
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    known = {part: ["http://127.0.0.1:9/" + name, name, m] for part, (_, name, m) in SVHN.split_list.items()}
    monkeypatch.setattr(SVHN, "split_list", known)


@pytest.fixture
def svhn(tmp_path, monkeypatch):
    """A folder with two small files in SVHN's own layout, whose checksums stand in for the real ones."""
    rng, folder = np.random.default_rng(0), tmp_path / "svhn"
    folder.mkdir()
    known = dict(SVHN.split_list)
    for part, n in (("train", 300), ("test", 60)):
        digits = np.arange(n) % 10
        images = rng.integers(0, 100, (32, 32, 3, n))
        images[:, :, 0] += (10 * digits).astype(int)  # the red channel tells the digit
        path = folder / f"{part}_32x32.mat"
        labels = np.where(digits == 0, 10, digits).astype(np.uint8)
        savemat(path, {"X": images.astype(np.uint8), "y": labels[:, None]})
        known[part] = [known[part][0], path.name, md5(path)]
    monkeypatch.setattr(SVHN, "split_list", known)
    return folder


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    """A folder with four small packed IDX files, whose checksums stand in for Fashion-MNIST's."""
    rng, folder = np.random.default_rng(1), tmp_path / "fashion"
    folder.mkdir()
    for name in IDX:
        n = 120 if name.startswith("train") else 40
        write_idx(folder / name, rng.integers(0, 256, (n, 28, 28)) if "images" in name else np.arange(n) % 10)
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()
    monkeypatch.setattr(FashionMNIST, "resources", [(f"{name}.gz", md5(folder / f"{name}.gz")) for name in IDX])
    return folder


@pytest.fixture
def server(tmp_path, monkeypatch):
    """``server(folder)`` serves a folder in place of the addresses that torchvision knows."""
    there = ExitStack()

    def start(folder):
        address = f"{there.enter_context(served(folder))}/"
        monkeypatch.setattr(FashionMNIST, "mirrors", ["http://127.0.0.1:9/", address])
        known = {part: [address + name, name, m] for part, (_, name, m) in SVHN.split_list.items()}
        monkeypatch.setattr(SVHN, "split_list", known)

    with there:
        yield start


@pytest.fixture
def pictures(tmp_path):
    """A folder of colour PNGs, three classes of 120, each of another colour."""
    rng = np.random.default_rng(2)
    for k, name in enumerate(("blue", "green", "red")):
        folder = tmp_path / "pictures" / name
        folder.mkdir(parents=True)
        for i in range(120):
            pixels = rng.integers(0, 60, (12, 12, 3))
            pixels[:, :, 2 - k] += 180
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i:03}.png")
    return tmp_path / "pictures"


def test_the_command_line_offers_each_data_set():
    assert tuple(name.value for name in DatasetName) == DATASETS
    with pytest.raises(DataError, match="'cifar'.*mnist, fashion-mnist, svhn, letters.*folder"):
        load_dataset("cifar")
    with pytest.raises(DataError, match="image_shape: svhn"):
        load_dataset("svhn", image_shape=(1, 28, 28))


def test_mnist_is_loaded_as_before():
    splits = load_dataset("mnist", download=False, announce=str)
    assert splits.dataset == "mnist" and splits.classes == data.DIGITS and splits.image_shape == (1, 28, 28)


def test_svhn_is_read_from_matlab_files_with_ten_for_zero(svhn):
    lines = []
    splits = load_dataset("svhn", svhn, announce=lines.append)
    assert len(lines) == 1 and f"SVHN in {svhn}" in lines[0] and "60 test digits" in lines[0]
    assert splits.dataset == "svhn" and splits.image_shape == (3, 32, 32) and not splits.is_full
    assert torch.equal(splits.test.labels, torch.arange(60) % 10)
    raw = loadmat(svhn / "test_32x32.mat")["X"]
    assert np.array_equal(splits.test.images[7].numpy(), raw[..., 7].transpose(2, 0, 1))
    assert len(splits.train) + len(splits.validation) == 300
    held_out = data.checksums(splits.validation.images.numpy())
    assert (held_out < data.HELD_OUT_BELOW).all() and 20 < len(held_out) < 80
    assert (data.checksums(splits.train.images.numpy()) >= data.HELD_OUT_BELOW).all()


@pytest.mark.parametrize("inside", [".", "FashionMNIST/raw", "raw"])
def test_fashion_mnist_is_read_where_torchvision_puts_it(fashion, tmp_path, inside):
    there = tmp_path / "there" / inside
    there.mkdir(parents=True)
    for path in fashion.iterdir():
        path.rename(there / path.name)
    splits = load_dataset("fashion-mnist", tmp_path / "there", announce=str)
    assert splits.image_shape == (1, 28, 28) and len(splits.test) == 40 and "Sneaker" in splits.classes
    assert len(splits.train) + len(splits.validation) == 120
    assert splits.checksum == load_dataset("fashion-mnist", tmp_path / "there", announce=str).checksum


@pytest.mark.parametrize("name", ["svhn", "fashion-mnist"])
def test_download_fills_the_cache_once_and_a_damaged_copy_is_fetched_again(name, svhn, fashion, server):
    source = svhn if name == "svhn" else fashion
    server(source)
    lines = []
    assert load_dataset(name, announce=lines.append).source.endswith("downloaded into the cache")
    place = data.cache_folder() / data.SOURCES[name].place
    names = sorted(path.name for path in source.iterdir())
    assert sorted(path.name for path in place.iterdir()) == names
    assert load_dataset(name, download=False, announce=lines.append).source.endswith("in the cache")

    damaged = place / names[0]
    damaged.write_bytes(damaged.read_bytes()[:-10])
    others = {path: path.stat().st_mtime_ns for path in place.iterdir() if path != damaged}
    lines.clear()
    assert "downloaded" in load_dataset(name, announce=lines.append).source
    assert f"{damaged}: truncated or altered" in lines[0]
    assert damaged.with_name(damaged.name + ".corrupt").exists() and md5(damaged) == md5(source / damaged.name)
    assert all(path.stat().st_mtime_ns == when for path, when in others.items())


def test_a_download_that_is_altered_or_breaks_off_is_not_kept(svhn, server):
    server(svhn)
    (svhn / "test_32x32.mat").write_bytes(b"half a fi")
    with pytest.raises(DataError, match="SVHN: test_32x32.mat "):
        load_dataset("svhn", announce=str)
    kept = [path.name for path in data.cache_folder().rglob("*.mat")]
    assert kept == ["train_32x32.mat"]


@pytest.mark.parametrize(("name", "file"), [("svhn", "train_32x32.mat"), ("fashion-mnist", f"{IDX[0]}.gz")])
def test_without_folder_cache_or_network_it_says_what_to_do(name, file):
    with pytest.raises(DataError, match=f"{file} .*--data DIR"):
        load_dataset(name, announce=str)
    with pytest.raises(DataError, match="network"):
        load_dataset(name, download=False, announce=str)


def test_a_file_at_fault_in_a_named_folder_is_named_and_left_alone(svhn, tmp_path):
    with pytest.raises(DataError, match="nowhere: .*train_32x32.mat"):
        load_dataset("svhn", tmp_path / "nowhere", announce=str)
    with pytest.raises(DataError, match="Fashion-MNIST"):
        load_dataset("fashion-mnist", svhn, announce=str)
    path = svhn / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:-1])
    before = path.read_bytes()
    with pytest.raises(DataError, match="train_32x32.mat: .*altered"):
        load_dataset("svhn", svhn, announce=str)
    assert path.read_bytes() == before
    path.unlink()
    with pytest.raises(DataError, match="train_32x32.mat: .*missing"):
        load_dataset("svhn", svhn, announce=str)


def test_a_folder_of_images_becomes_digits_of_one_shape(pictures):
    lines = []
    splits = load_dataset("folder", pictures, image_shape=(3, 12, 12), announce=lines.append)
    assert len(lines) == 1 and "3 classes of images" in lines[0] and "blue, green, red" in lines[0]
    assert splits.classes == ("blue", "green", "red") and splits.dataset == "folder"
    for part in (splits.train, splits.validation, splits.test):
        assert part.images.dtype == torch.uint8 and part.images.shape[1:] == (3, 12, 12)
        assert torch.equal(part.images.float().mean((2, 3)).argmax(1), 2 - part.labels)
    assert sum(map(len, (splits.train, splits.validation, splits.test))) == 360

    small = load_dataset("folder", pictures, announce=lines.append)
    assert small.image_shape == (1, 28, 28)
    assert "images of 12×12 pixels were resized to 28×28" in lines[1]
    assert "360 colour images were turned grey; --shape 3x28x28" in lines[2]


def test_an_image_stays_on_its_side_when_others_join(pictures):
    def sides(splits):
        return {image.numpy().tobytes() for image in splits.test.images}

    before = load_dataset("folder", pictures, image_shape=(3, 12, 12), announce=str)
    Image.new("RGB", (12, 12), "red").save(pictures / "red" / "zzz.png")
    after = load_dataset("folder", pictures, image_shape=(3, 12, 12), announce=str)
    assert sides(before) <= sides(after) and len(sides(after)) <= len(sides(before)) + 1


def spoil(pictures, how):
    """Does one thing wrong in a folder of images."""
    path = pictures / "red" / "000.png"
    if how == "nothing in it":
        for folder in list(pictures.iterdir()):
            folder.rename(pictures.parent / folder.name)
    elif how == "an empty class":
        (pictures / "yellow").mkdir()
        (pictures / "yellow" / ".DS_Store").write_bytes(b"what a desktop leaves")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-60])
    elif how == "few images":
        for path in [path for path in pictures.rglob("*.png") if path.stem > "009"]:
            path.unlink()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("nothing in it", "pictures: "),
        ("an empty class", "yellow: "),
        ("cut", "1 files .*red/000.png"),
        ("few images", "pictures: 30 items: .* 10"),
    ],
)
def test_what_is_wrong_with_a_folder_of_images_is_said(pictures, how, message):
    spoil(pictures, how)
    with pytest.raises(DataError, match=message):
        load_dataset("folder", pictures, announce=str)


@pytest.mark.parametrize("shape", [(2, 28, 28), (1, 28), (1, 2, 28), (3, 28, 4000)])
def test_a_shape_that_images_cannot_be_given_is_refused(pictures, shape):
    with pytest.raises(DataError, match="image_shape: "):
        data.read_folder(pictures, shape, announce=str)


def test_no_folder_or_a_missing_one_is_refused(tmp_path):
    with pytest.raises(DataError, match="folder: name"):
        load_dataset("folder", announce=str)
    with pytest.raises(DataError, match="nowhere: "):
        load_dataset("folder", tmp_path / "nowhere", announce=str)


@pytest.mark.parametrize("name", [name for name in RECIPES if not name.endswith("judge")])
def test_every_recipe_draws_images_of_another_shape(name):
    model = recipe(name).make(0, image_shape=(3, 32, 32)).eval()
    x = torch.rand(4, 3, 32, 32)
    assert model.sample(4).shape == x.shape
    if hasattr(model, "encode"):
        assert model.encode(x).shape == (4, model.code_dim)


def test_the_judge_reads_no_other_shape():
    with pytest.raises(ValueError, match="judge: "):
        recipe("judge").make(0, image_shape=(3, 32, 32))


def test_measures_that_read_mnist_are_left_out_elsewhere(svhn):
    splits, names = load_dataset("svhn", svhn, announce=str), list(metrics.MEASURES)
    assert set(metrics.left_out(names, data.embedded())) == metrics.OF_LETTERS
    assert (
        set(metrics.left_out(names, splits))
        == metrics.OF_MNIST | metrics.OF_LETTERS | metrics.OF_UNUSUAL
        > metrics.NEED_JUDGE
    )
    model = recipe("aae-deterministic").make(0, image_shape=splits.image_shape)
    found = metrics.evaluate(model, splits, ["test_mse", "frechet"], judge=None)
    assert list(found) == ["test_mse"] and 0 < found["test_mse"].reference < 1


def test_chance_is_an_even_guess_among_the_classes_there():
    class Blind(torch.nn.Module):
        def probabilities(self, x):
            return torch.eye(10)[torch.zeros(len(x), dtype=torch.long)]

    digits = Digits(torch.zeros(8, 1, 4, 4, dtype=torch.uint8), torch.arange(8) % 4)
    measure = metrics.test_error(Blind(), digits)
    assert (measure.value, measure.reference) == (0.75, 0.75)


def test_svhn_is_trained_measured_and_drawn_from_the_command_line(svhn, tmp_path):
    out, more = tmp_path / "mine", ("--data", svhn, "--device", "cpu")
    trained = done("train", "supervised", "--dataset", "svhn", "--epochs", 1, "--out", out, *more, "--json")
    card = json.loads(trained.stdout)
    assert card["data"]["dataset"] == "svhn" and card["data"]["image_shape"] == [3, 32, 32]
    assert card["left_out"] == ["sample_accuracy", "swap_accuracy"]
    assert set(card["measures"]) == {"test_mse", "prior_swd", "two_sample", "style_leak_linear", "style_leak_mlp"}

    evaluated = done("evaluate", out, *more).stdout
    assert f"test_mse           {card['measures']['test_mse']['value']:8.4f}" in evaluated
    assert "left out: sample_accuracy, swap_accuracy: " in evaluated
    assert "--update: " in refused("evaluate", out, "--update", *more)
    assert "--data DIR" in refused("evaluate", out, "--device", "cpu")

    picture = tmp_path / "digits.png"
    done("sample", out, "--out", picture, "--rows", 2)
    image = Image.open(picture)
    assert image.size == (10 * 34 + 2, 2 * 34 + 2)
    model = zoo.load(out)
    torch.manual_seed(0)
    z = model.prior.sample(2)
    with torch.no_grad():
        first = model.decode(z[:1], torch.tensor([0]))[0]
    drawn = np.asarray(image)[2:34, 2:34].transpose(2, 0, 1) / 255
    assert np.abs(drawn - first.numpy()).max() < 0.01  # colours as they are, not inverted


def test_a_folder_is_trained_and_its_classes_are_the_columns(pictures, tmp_path):
    out = tmp_path / "mine"
    arguments = ("--dataset", "folder", "--data", pictures, "--device", "cpu", "--epochs", 1)
    done("train", "supervised", *arguments, "--shape", "3x12x12", "--out", out)
    assert zoo.card(out)["data"]["classes"] == ["blue", "green", "red"]
    picture = tmp_path / "classes.png"
    done("sample", out, "--out", picture, "--rows", 2)
    assert Image.open(picture).size == (3 * 14 + 2, 2 * 14 + 2)
    words = refused("sample", out, "--out", picture, "--digit", 3)
    assert "--class: there is no '3'" in words and "0 … 2" in words
    (pictures / "red").rename(pictures / "violet")
    words = refused("evaluate", out, "--data", pictures)
    assert f"{pictures}: " in words and "blue, green, violet" in words and "blue, green, red" in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "folder"], "folder: "),
        (["--dataset", "svhn", "--shape", "3x32x32"], "image_shape: svhn"),
        (["--dataset", "folder", "--data", ".", "--shape", "large"], "--shape: "),
        (["--dataset", "svhn"], "train_32x32.mat"),
    ],
)
def test_a_mistake_ends_with_its_message_and_no_run(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused("train", "supervised", *arguments)
    assert not (tmp_path / "runs").exists()

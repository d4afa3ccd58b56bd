"""What a folder or an array of images is read as, in its details: names of splits, grounds, sizes told, limits."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from aae_core.data import DataError, load_dataset, load_items, read_array
from aae_core.data.folder import MOST_PIXELS


def images(folder, n, pixels=None, seed=0):
    """A folder of `n` small images, of noise or of the same pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for k in range(n):
        made = rng.integers(0, 255, (12, 12), dtype=np.uint8) if pixels is None else pixels
        Image.fromarray(made).save(folder / f"{k:03}.png")


@pytest.mark.parametrize("train", ["train", "training"])
@pytest.mark.parametrize("validation", ["val", "valid", "validation"])
@pytest.mark.parametrize("test", ["test", "testing"])
def test_splits_go_by_their_usual_names(tmp_path, train, validation, test):
    for k, (split, n) in enumerate(((train, 30), (validation, 12), (test, 14))):
        for name in "ab":
            images(tmp_path / split / name, n, seed=10 * k + ord(name))
    splits = load_dataset("folder", tmp_path, image_shape=(1, 12, 12), announce=str)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (60, 24, 28)


@pytest.mark.parametrize("bright", ["top", "bottom", "left", "right"])
def test_the_ground_of_a_padded_image_is_what_most_of_its_border_is(tmp_path, bright):
    pixels = np.full((12, 36), 100, np.uint8)
    pixels[{"top": np.s_[:1], "bottom": np.s_[-1:], "left": np.s_[:, :1], "right": np.s_[:, -1:]}[bright]] = 200
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    padded = load_items("folder", tmp_path, image_shape=(1, 36, 36), fit="pad", announce=str).images[0, 0]
    assert padded[0, 0] == padded[-1, -1] == int(np.median(border))


def test_the_smallest_and_the_largest_size_are_told_by_their_area(tmp_path):
    for size in ((40, 10), (30, 30), (10, 20)):
        Image.new("L", size).save(tmp_path / f"{size[0]}.png")
    lines = []
    load_items("folder", tmp_path, image_shape=(1, 12, 12), announce=lines.append)
    (told,) = (line for line in lines if "resized" in line)
    assert "10×20 to 30×30" in told


def test_an_image_of_too_many_pixels_is_refused_with_both_numbers(tmp_path):
    side = int(MOST_PIXELS**0.5) + 1
    Image.new("1", (side, side)).save(tmp_path / "vast.png")
    with pytest.raises(DataError, match=rf"{side}×{side}: more than 64 million"):
        load_items("folder", tmp_path, image_shape=(1, 12, 12), announce=str)


def test_of_many_images_left_out_five_are_named(tmp_path):
    images(tmp_path / "a", 3)
    images(tmp_path / "b", 3, seed=1)
    images(tmp_path, 7, seed=2)
    lines = []
    load_items("folder", tmp_path, image_shape=(1, 12, 12), announce=lines.append)
    (told,) = (line for line in lines if "beside" in line)
    assert told.count(".png") == 5 and "7 images" in told


@pytest.mark.parametrize(
    ("shape", "read"),
    [((4, 3, 12, 12), (3, 12, 12)), ((4, 12, 12, 3), (3, 12, 12)), ((4, 12, 12, 1), (1, 12, 12))],
)  # fmt: skip
def test_an_arrays_channels_are_where_one_or_three_are(tmp_path, shape, read):
    np.save(tmp_path / "images.npy", np.zeros(shape, np.uint8))
    assert read_array(tmp_path / "images.npy", announce=str).images.shape == (4, *read)

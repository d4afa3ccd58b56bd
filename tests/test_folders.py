"""What a folder of images is read as, in its details: grounds, sizes told, limits."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from aae_core.data import DataError, load_items
from aae_core.data.pictures import MOST_PIXELS


@pytest.mark.parametrize("bright", ["top", "bottom", "left", "right"])
def test_the_ground_of_a_padded_image_is_what_most_of_its_border_is(tmp_path, bright):
    pixels = np.full((12, 36), 100, np.uint8)
    pixels[{"top": np.s_[:1], "bottom": np.s_[-1:], "left": np.s_[:, :1], "right": np.s_[:, -1:]}[bright]] = 200
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    padded = load_items("folder", tmp_path, image_shape=(1, 36, 36), fit="pad", announce=str).images[0, 0]
    assert (padded[[0, -1]] == int(np.median(border))).all()
    (tmp_path / "wide.png").unlink()
    Image.fromarray(pixels.T).save(tmp_path / "tall.png")
    assert (
        load_items("folder", tmp_path, image_shape=(1, 36, 36), fit="pad", announce=str).images[0, 0] == padded.T
    ).all()


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
    with pytest.raises(DataError, match=rf"{side}×{side}: more than 64 "):
        load_items("folder", tmp_path, image_shape=(1, 12, 12), announce=str)


def test_of_many_images_left_out_five_are_named(tmp_path):
    for folder, n in (("a", 3), ("b", 3), (".", 7)):
        (tmp_path / folder).mkdir(exist_ok=True)
        for k in range(n):
            Image.new("L", (12, 12), 9 * k).save(tmp_path / folder / f"{k}.png")
    lines = []
    load_items("folder", tmp_path, image_shape=(1, 12, 12), announce=lines.append)
    (told,) = (line for line in lines if "beside" in line)
    assert told.count(".png") == 5 and "7 images" in told

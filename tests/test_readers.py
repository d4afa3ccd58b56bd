"""Readers of one's own data at their borders: the last value that fits, and the first that does not."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from aae_core.data import (
    UNLABELLED,
    DataError,
    Items,
    arrays,
    check_image_shape,
    checksums,
    load_items,
    split_items,
    tables,
)
from aae_core.data.splits import HELD_OUT_BELOW

SHAPE = (1, 12, 12)


def array(tmp_path: Path, images: np.ndarray, **more: np.ndarray) -> tuple[Items, list[str]]:
    np.savez(tmp_path / "mine.npz", images=images, **more)
    lines: list[str] = []
    return load_items("array", tmp_path / "mine.npz", announce=lines.append), lines


@pytest.mark.parametrize("dtype", ["int64", "uint16", "float32", "bool"])
def test_bytes_of_another_type_stay_what_they_are_and_shares_become_bytes(tmp_path, dtype):
    ends = np.zeros((2, 12, 12), dtype)
    ends[1] = 1 if dtype in ("float32", "bool") else 255
    items, lines = array(tmp_path, ends)
    assert items.images.dtype == np.uint8 and items.images[1].min() == 255 and items.images[0].max() == 0
    assert bool(lines) == (dtype in ("float32", "bool"))
    assert items.classes == () and items.labels.tolist() == [UNLABELLED] * 2 and items.names == ["0", "1"]


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_a_mask_of_whole_numbers_is_black_and_white(tmp_path, dtype):
    items, lines = array(tmp_path, np.array([0, 1], dtype).repeat(144).reshape(2, 12, 12))
    assert items.images[1].min() == 255 and items.images[0].max() == 0 and "[0, 1]" in lines[0]
    items, lines = array(tmp_path, np.zeros((2, 12, 12), dtype))
    assert items.images.max() == 0 and lines == []


def test_three_images_with_their_channels_last_are_three_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 12, 10, 3), dtype=np.uint8)
    items, _ = array(tmp_path, images)
    assert np.array_equal(items.images, images.transpose(0, 3, 1, 2))


def test_a_large_array_of_bytes_stays_in_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "LARGE", 1000)
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).integers(0, 256, (20, 12, 12), dtype=np.uint8))
    items = load_items("array", tmp_path / "mine.npy", announce=str)
    assert isinstance(items.images, np.memmap) and Path(items.images.filename) == tmp_path / "mine.npy"


def test_only_what_packs_beyond_reason_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "LARGEST", 0)
    images = np.random.default_rng(0).integers(0, 256, (20, 12, 12), dtype=np.uint8)
    np.savez_compressed(tmp_path / "mine.npz", images=images)
    assert len(load_items("array", tmp_path / "mine.npz", announce=str).images) == 20
    np.savez_compressed(tmp_path / "mine.npz", images=np.zeros((3000, 12, 12), np.uint8))
    with pytest.raises(DataError, match="images"):
        load_items("array", tmp_path / "mine.npz", announce=str)


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        ([0.0, 1.0, np.nan], ("0.0", "1.0"), [0, 1, UNLABELLED]),
        ([0, 1, -1], ("0", "1"), [0, 1, UNLABELLED]),
        ([b"cat", b"dog", b""], ("cat", "dog"), [0, 1, UNLABELLED]),
        (["cat", "", "dog"], ("cat", "dog"), [0, UNLABELLED, 1]),
    ],
)
def test_marks_of_no_label_are_no_class(tmp_path, labels, classes, expected):
    items, _ = array(tmp_path, np.zeros((3, 12, 12), np.uint8), labels=np.array(labels))
    assert items.classes == classes and items.labels.tolist() == expected


def test_an_array_that_is_not_read_is_named(tmp_path):
    _, lines = array(tmp_path, np.zeros((3, 12, 12), np.uint8), label=np.arange(3))
    assert len(lines) == 1 and "label" in lines[0] and "labels" in lines[0]


def test_a_folder_in_an_arrays_or_a_tables_place_is_called_one(tmp_path):
    for kind in ("array", "table"):
        with pytest.raises(DataError, match="a folder"):
            load_items(kind, tmp_path, announce=str)


@pytest.mark.parametrize("odd", [-1, 256, 1.01, -0.01])
def test_numbers_beyond_bytes_and_shares_are_refused(tmp_path, odd):
    with pytest.raises(DataError, match="mine.npz: .*0 … 255"):
        array(tmp_path, np.array([0, odd]).repeat(144).reshape(2, 12, 12))


def test_an_array_of_words_or_of_no_image_is_refused(tmp_path):
    with pytest.raises(DataError, match="mine.npz: .*<U"):
        array(tmp_path, np.full((2, 12, 12), "a"))
    with pytest.raises(DataError, match=r"mine.npz: .*\(0, 1, 12, 12\)"):
        array(tmp_path, np.zeros((0, 12, 12), np.uint8))
    np.save(tmp_path / "large.npy", np.zeros((2, 12, 300), np.uint8))
    with pytest.raises(DataError, match="large.npy: .*1x12x300"):
        load_items("array", tmp_path / "large.npy", announce=str)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY"])
def test_a_file_that_is_no_array_is_named(tmp_path, content):
    (tmp_path / "mine.npy").write_bytes(content)
    with pytest.raises(DataError, match="mine.npy: "):
        load_items("array", tmp_path / "mine.npy", announce=str)


def test_the_axis_of_one_or_three_is_that_of_the_channels(tmp_path):
    for shape in [(2, 12, 10, 1), (2, 1, 12, 10), (2, 12, 10)]:
        assert array(tmp_path, np.zeros(shape, np.uint8))[0].images.shape == (2, 1, 12, 10)
    first = np.zeros((2, 3, 12, 10), np.uint8)
    first[:, 0] = 255
    last, _ = array(tmp_path, first.transpose(0, 2, 3, 1))
    assert (last.images == array(tmp_path, first)[0].images).all()


def test_classes_are_in_the_order_of_their_size_or_name(tmp_path):
    blank = np.zeros((3, 12, 12), np.uint8)
    items, _ = array(tmp_path, blank, labels=np.array([10, 9, 2]))
    assert items.classes == ("2", "9", "10") and items.labels.tolist() == [2, 1, 0]
    items, _ = array(tmp_path, blank, labels=np.array(["b", "10", "a"]))
    assert items.classes == ("10", "a", "b")


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 128, 128), (1, 4, 128)])
def test_the_least_and_the_greatest_images_are_taken(shape):
    assert check_image_shape(list(shape)) == shape


@pytest.mark.parametrize("shape", [(1, 3, 4), (1, 4, 129), (2, 12, 12), (0, 12, 12), (12, 12), (1, 1, 12, 12)])
def test_images_that_are_smaller_or_larger_are_refused(shape):
    with pytest.raises(DataError, match="image_shape: .*" + "x".join(map(str, shape))):
        check_image_shape(shape)


def picture(path: Path, colour: object = 90, size: tuple[int, int] = (12, 12), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


def folder(tmp_path: Path, **options: object) -> tuple[Items, list[str]]:
    lines: list[str] = []
    return load_items("folder", tmp_path, image_shape=SHAPE, announce=lines.append, **options), lines


def test_a_folder_that_needs_no_change_is_told_nothing_of(tmp_path):
    picture(tmp_path / "one.png")
    items, lines = folder(tmp_path)
    assert lines == [] and items.images.shape == (1, *SHAPE) and items.names == ["one.png"]


def test_what_was_changed_is_told_with_its_number(tmp_path):
    picture(tmp_path / "a" / "red.png", (200, 0, 0), mode="RGB")
    picture(tmp_path / "a" / "blue.png", (0, 0, 200), (24, 12), mode="RGB")
    picture(tmp_path / "b" / "deep" / "glass.png", (0, 0, 0, 9), mode="RGBA")
    picture(tmp_path / "__MACOSX" / "a" / "red.png")
    picture(tmp_path / ".cache" / "red.png")
    items, lines = folder(tmp_path)
    assert items.classes == ("a", "b") and items.names == ["a/blue.png", "a/red.png", "b/deep/glass.png"]
    told = " ".join(lines)
    assert "1 images with transparent" in told and "12×12 to 24×12" in told
    assert "3 colour images" in told and "3x12x12" in told
    _, lines = folder(tmp_path / "b")
    assert not any("grey" in line for line in lines)  # ink on glass has no colour that is lost


@pytest.mark.parametrize("deep", [False, True])
def test_images_beside_sub_folders_are_left_out_and_counted(tmp_path, deep):
    for part in ("train", "test") if deep else ("",):
        for name in "ab":
            picture(tmp_path / part / name / "x.png")
    strays = ["stray.png", "train/lost.png"] if deep else ["lost.png", "stray.png"]
    for stray in strays:
        picture(tmp_path / stray)
    items, lines = folder(tmp_path)
    assert len(items.names) == (4 if deep else 2) and items.classes == ("a", "b")
    assert any(line.startswith("Data: 2 images") and all(stray in line for stray in strays) for line in lines)


@pytest.mark.parametrize("n", [10, 11])
def test_of_many_bad_files_ten_are_named(tmp_path, n):
    picture(tmp_path / "good.png")
    for k in range(n):
        (tmp_path / f"bad-{k:02}.png").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        folder(tmp_path)
    assert f"{n} files" in str(caught.value) and "bad-09" in str(caught.value)
    assert ("1 more" in str(caught.value)) == (n > 10) and "bad-10" not in str(caught.value)
    items, lines = folder(tmp_path, skip_bad=True)
    assert items.names == ["good.png"] and f"{n} files" in lines[0]
    (tmp_path / "good.png").unlink()
    with pytest.raises(DataError, match=f"none .* {n} images"):
        folder(tmp_path, skip_bad=True)


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
@pytest.mark.parametrize("value", [200, 257, 65535])
def test_sixteen_bits_are_scaled_by_what_the_file_may_hold(tmp_path, ending, value):
    Image.fromarray(np.full((12, 12), value, np.uint16)).save(tmp_path / f"deep.{ending}")
    items, _ = folder(tmp_path)
    assert (items.images == round(value / 257)).all()


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_numbers_of_unknown_scale_are_refused(tmp_path, dtype):
    Image.fromarray(np.full((12, 12), 200, dtype)).save(tmp_path / "odd.tif")
    with pytest.raises(DataError, match="odd.tif .*16 bits"):
        folder(tmp_path)


def test_a_folder_about_the_set_is_told_from_it(tmp_path):
    for name in ("set/train/a", "set/test/a"):
        picture(tmp_path / name / "0.png")
    with pytest.raises(DataError, match=" set "):
        folder(tmp_path)


def test_a_linked_folder_is_a_class_unless_it_leads_back_and_is_told_of_within_one(tmp_path):
    for name in ("a/0.png", "b/0.png"):
        picture(tmp_path / name)
    picture(tmp_path.parent / "elsewhere" / "1.png")
    (tmp_path / "c").symlink_to(tmp_path.parent / "elsewhere")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "a" / "more").symlink_to(tmp_path.parent / "elsewhere")
    items, lines = folder(tmp_path)
    assert items.classes == ("a", "b", "c") and len(items.images) == 3
    assert len(lines) == 1 and "more" in lines[0]


def test_an_image_of_colours_that_cannot_be_turned_is_a_bad_file(tmp_path):
    picture(tmp_path / "a" / "0.png")
    Image.new("LAB", (12, 12)).save(tmp_path / "a" / "lab.tif")
    with pytest.raises(DataError, match="lab.tif"):
        folder(tmp_path)
    assert len(folder(tmp_path, skip_bad=True)[0].images) == 1


@pytest.mark.parametrize(
    "names", ["train test", "train val", "train", "train valid test", "Training validation testing"]
)
@pytest.mark.parametrize("classes", [(), ("a", "b")])
def test_sub_folders_named_after_splits_are_splits_with_classes_or_without_labels(tmp_path, names, classes):
    for part in names.split():
        for name in classes or ("",):
            picture(tmp_path / part / name / "x.png")
    items, _ = folder(tmp_path)
    places = {"t": 0, "v": 1, "e": 2}
    expected = [places["e" if name.lower().startswith("test") else name[0].lower()] for name in names.split()]
    assert items.classes == classes and len(items.names) == len(expected) * max(1, len(classes))
    assert sorted(items.parts.tolist()) == sorted(expected * max(1, len(classes)))
    if not classes:
        assert items.labels.tolist() == [UNLABELLED] * len(expected)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["train/x.png", "test/x.png", "extra/x.png"], ["test, train", "extra", "rename"]),
        (["test/a/x.png", "test/b/x.png", "train/x.png"], ["test has classes", "train has none", "--usual"]),
        (["test/x.png"], ["has test", "no train"]),
        (["val/a/x.png", "test/a/x.png"], ["has test, val", "no train"]),
    ],
)
def test_another_mix_of_splits_and_classes_is_refused_by_name(tmp_path, paths, words):
    for path in paths:
        picture(tmp_path / path)
    with pytest.raises(DataError) as caught:
        folder(tmp_path)
    assert all(word in str(caught.value) for word in [str(tmp_path), *words])


def test_a_split_without_classes_beside_a_training_that_has_them_is_set_aside(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(200):
        where = tmp_path / ("train/a", "train/b", "test")[k % 3]
        where.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, SHAPE[1:], dtype=np.uint8)).save(where / f"{k}.png")
    items, lines = folder(tmp_path)
    bare = np.array([name.startswith("test") for name in items.names])
    assert items.classes == ("a", "b") and bare.sum() == 66 and (items.labels[bare] == UNLABELLED).all()
    assert sum("66 images of test" in line for line in lines) == 1 and not any("beside" in line for line in lines)
    splits = split_items(items, "folder", tmp_path)
    alone = split_items(folder(tmp_path / "train")[0], "folder", tmp_path / "train")
    for part in ("train", "validation", "test"):
        assert (getattr(splits, part).images == getattr(alone, part).images).all()
        assert (getattr(splits, part).labels == getattr(alone, part).labels).all()


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


def items_of(images: np.ndarray, parts: np.ndarray | None = None) -> Items:
    return Items(images, np.full(len(images), UNLABELLED), (), [], "noise", parts)


def test_one_in_six_is_held_out_twice_by_content():
    images = noise(600)
    splits = split_items(items_of(images), "array", Path("mine"))
    found = checksums(images)
    assert len(splits.validation) == (found < HELD_OUT_BELOW).sum()
    assert len(splits.test) == ((found >= HELD_OUT_BELOW) & (found < 2 * HELD_OUT_BELOW)).sum()
    assert (splits.validation.images.numpy() == images[found < HELD_OUT_BELOW]).all()
    assert (splits.train.images.numpy() == images[found >= 2 * HELD_OUT_BELOW]).all()


def test_splits_that_came_stay_and_a_missing_validation_is_taken_from_training():
    images = noise(300)
    whole = np.arange(300) % 3
    splits = split_items(items_of(images, whole), "folder", Path("mine"))
    for k, part in enumerate((splits.train, splits.validation, splits.test)):
        assert (part.images.numpy() == images[whole == k]).all()
    two = np.where(whole == 1, 0, whole)
    splits = split_items(items_of(images, two), "folder", Path("mine"))
    assert (splits.test.images.numpy() == images[two == 2]).all()
    held = (two == 0) & (checksums(images) < HELD_OUT_BELOW)
    assert (splits.validation.images.numpy() == images[held]).all() and len(splits.train) == 200 - held.sum()


def test_a_missing_test_is_taken_from_training_and_the_validation_stays():
    images, came = noise(300), np.arange(300) % 2
    splits = split_items(items_of(images, came), "folder", Path("mine"))
    found = checksums(images)
    test = (came == 0) & (found >= HELD_OUT_BELOW) & (found < 2 * HELD_OUT_BELOW)
    assert (splits.validation.images.numpy() == images[came == 1]).all()
    assert test.sum() >= 10 and (splits.test.images.numpy() == images[test]).all()
    assert (splits.train.images.numpy() == images[(came == 0) & ~test]).all()
    alone = split_items(items_of(images, 0 * came), "folder", Path("mine"))
    whole = split_items(items_of(images), "folder", Path("mine"))
    for part in ("train", "validation", "test"):  # train alone is split as a folder without splits is
        assert (getattr(alone, part).images == getattr(whole, part).images).all()


def test_ten_items_a_split_are_enough_and_nine_are_not():
    parts = np.arange(3).repeat(10)
    assert len(split_items(items_of(noise(30), parts), "folder", Path("mine")).test) == 10
    with pytest.raises(DataError, match=r"mine: 29 items: 10 train, 10 validation, 9 test.*\b120\b"):
        split_items(items_of(noise(29), parts[:29]), "folder", Path("mine"))
    with pytest.raises(DataError, match="29 items, 1 .* different"):
        split_items(items_of(np.zeros((29, *SHAPE), np.uint8), parts[:29]), "folder", Path("mine"))


def test_a_line_says_what_there_is_and_how_much():
    images, parts = noise(30), np.arange(3).repeat(10)
    told = [split_items(items_of(images, parts), kind, Path("mine")).describe() for kind in ("array", "table")]
    assert "10 training, 10 validation, 10 test images" in told[0] and "10 test rows" in told[1]
    named = replace(
        items_of(images, parts), classes=tuple("abc"), labels=np.zeros(30, np.int64), read_as={"fit": "pad"}
    )
    assert "of a, b, c" in split_items(named, "folder", Path("mine")).describe()
    for n, end in ((12, "k, l."), (13, "k, l, ….")):
        many = replace(named, classes=tuple("abcdefghijklm"[:n]))
        assert split_items(many, "folder", Path("mine")).describe().endswith(end)


def rows(tmp_path: Path, frame: pd.DataFrame, **options: object) -> tuple[Items, list[str]]:
    frame.to_csv(tmp_path / "mine.csv", index=False)
    lines: list[str] = []
    return load_items("table", tmp_path / "mine.csv", announce=lines.append, **options), lines


def test_a_column_that_is_alike_is_left_out_unless_it_has_gaps(tmp_path):
    frame = pd.DataFrame({"size": [1.0, 2, 3], "same": [5, 5, 5], "ticked": ["x", None, "x"], "empty": [None] * 3})
    items, lines = rows(tmp_path, frame)
    assert set(items.read_as["sketch"]) == {"size", "ticked"}
    assert "same" in lines[0] and "empty" in lines[0] and "ticked" not in lines[0]
    assert items.images[:, 0, 0, 0].tolist() == [0, 0.5, 1]


def test_a_hundred_categories_are_taken_and_one_more_is_a_name(tmp_path):
    for n in (100, 101):
        frame = pd.DataFrame({"size": np.arange(n), "word": [f"w{k:03}" for k in range(n)]})
        items, _ = rows(tmp_path, frame)
        assert ("word" in items.read_as["sketch"]) == (n == 100)


def test_yes_and_no_are_categories_and_an_empty_label_is_none(tmp_path):
    frame = pd.DataFrame({"fast": [True, False, True], "size": [1, 2, 4], "kind": ["a", None, "b"]})
    items, _ = rows(tmp_path, frame, label="kind")
    assert items.read_as["sketch"]["fast"]["kind"] == "category"
    assert items.labels.tolist() == [0, UNLABELLED, 1] and items.classes == ("a", "b")


def test_words_that_a_model_does_not_know_are_counted(tmp_path):
    frame = pd.DataFrame({"size": [1.0, 2, 3], "colour": ["red", "blue", None]})
    items, _ = rows(tmp_path, frame)
    frame["colour"] = ["green", "pink", "red"]
    again, lines = rows(tmp_path, frame, sketch=items.read_as["sketch"])
    assert len(lines) == 1 and "'colour': 2 rows" in lines[0] and "green, pink" in lines[0]
    assert again.images[:, 0, 0, 1:].sum(1).tolist() == [0, 0, 1]


def test_gaps_in_a_column_that_had_none_are_told_once_with_their_number(tmp_path):
    frame = pd.DataFrame({"size": [1.0, 2, 6], "colour": ["red", "blue", "red"], "mass": [1.0, None, 2]})
    sketch = rows(tmp_path, frame)[0].read_as["sketch"]
    assert rows(tmp_path, frame, sketch=sketch)[1] == []
    frame = pd.DataFrame({"size": [None, None, 6], "colour": ["red", None, "red"], "mass": [None, None, 2.0]})
    again, lines = rows(tmp_path, frame, sketch=sketch)
    assert sorted(line.partition(", ")[0] for line in lines) == [
        "Data: column 'colour': 1 rows have a gap",
        "Data: column 'size': 2 rows have a gap",
    ]
    assert again.images[:2, 0, 0, 0].tolist() == pytest.approx([0.2, 0.2])  # the median of 1, 2, 6


@pytest.mark.parametrize("known", [False, True])
def test_decimals_behind_a_comma_are_refused_with_what_to_do(tmp_path, known):
    path = tmp_path / "mine.csv"
    path.write_text("size;name\n1.5;a\n2.5;b\n")
    sketch = load_items("table", path, announce=str).read_as["sketch"] if known else None
    path.write_text("size;name\n1;a\n2,5;b\n1.000,25;a\n")
    with pytest.raises(DataError, match="mine.csv: column 'size', row 3: '2,5' .*decimal=','"):
        load_items("table", path, sketch=sketch, announce=str)
    pd.read_csv(path, sep=";", decimal=",", thousands=".").to_csv(path, index=False)
    assert load_items("table", path, announce=str).read_as["sketch"]["size"]["high"] == 1000.25
    path.write_text('pair,size\n"1,2",1\n"x",2\n')  # words that are no numbers may have commas
    assert load_items("table", path, announce=str).read_as["sketch"]["pair"]["kind"] == "category"


def test_a_parquet_file_is_read_as_the_same_table_in_a_text(tmp_path):
    pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'aae-core[parquet]'")
    frame = pd.DataFrame(
        {"size": [1.5, None, 3], "count": [1, 2, 4], "colour": ["red", None, "blue"], "fast": [True, False, True]}
    )
    frame["kind"] = ["a", "b", "a"]
    frame.to_parquet(tmp_path / "mine.parquet")
    found = load_items("table", tmp_path / "mine.parquet", label="kind", announce=str)
    items, _ = rows(tmp_path, frame, label="kind")
    assert (found.images == items.images).all() and found.read_as == items.read_as
    assert found.classes == items.classes == ("a", "b") and (found.labels == items.labels).all()
    assert found.names == ["1", "2", "3"]  # such a file has no header that would be a row
    again = load_items("table", tmp_path / "mine.parquet", sketch=items.read_as["sketch"], announce=str)
    assert (again.images == items.images).all()


def test_where_parquet_cannot_be_read_the_message_names_what_to_install(tmp_path, monkeypatch):
    for name in ("pyarrow", "fastparquet"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "mine.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"mine.parquet: .*aae-core\[parquet\]"):
        load_items("table", tmp_path / "mine.parquet", announce=str)


def test_rows_are_counted_as_the_file_does(tmp_path):
    frame = pd.DataFrame({"size": [1.0, 2, 3], "weight": [1, 2, 4]})
    items, _ = rows(tmp_path, frame)
    assert items.names == ["2", "3", "4"]  # the header is row 1
    (tmp_path / "mine.csv").write_text("size,weight\n1,2\n2,none\n")
    with pytest.raises(DataError, match="'weight', row 3: .*'none'"):
        load_items("table", tmp_path / "mine.csv", sketch=items.read_as["sketch"], announce=str)


def test_a_row_may_become_so_many_numbers_and_no_more(tmp_path, monkeypatch):
    frame = pd.DataFrame({"size": [1, 2, 3], "word": ["a", "b", "c"]})
    monkeypatch.setattr(tables, "WIDEST", 4)
    assert rows(tmp_path, frame)[0].images.shape == (3, 1, 1, 4)
    monkeypatch.setattr(tables, "WIDEST", 3)
    with pytest.raises(DataError, match="mine.csv: .*4 numbers.* 3 "):
        rows(tmp_path, frame)


def text(tmp_path: Path, content: str, **options: object) -> tuple[Items, list[str]]:
    (tmp_path / "mine.csv").write_text(content)
    lines: list[str] = []
    return load_items("table", tmp_path / "mine.csv", announce=lines.append, **options), lines


def test_a_separator_behind_every_row_does_not_move_the_columns(tmp_path):
    with pytest.raises(DataError, match="mine.csv: .*fields"):
        text(tmp_path, "a,b,y\n1,2,p,x\n3,4,q,x\n", label="y")
    try:
        items, _ = text(tmp_path, "a,b,y\n1,2,p,\n3,4,q,\n", label="y")
    except DataError as error:
        assert re.search("mine.csv: .*fields", str(error))
    else:
        assert items.classes == ("p", "q") and items.images.shape[-1] == 2


def test_labels_are_as_they_are_written_whether_or_not_some_are_missing(tmp_path):
    for rows, classes in (
        ("1,0\n2,1\n", ("0", "1")),
        ("1,0\n2,1\n3,\n", ("0", "1")),
        ("1,01\n2,1\n", ("01", "1")),
        ("1, 1\n2,0\n3,1 \n", ("0", "1")),
    ):
        items, _ = text(tmp_path, "a,y\n" + rows, label="y")
        assert items.classes == classes
    frame = pd.DataFrame({"a": [1, 2, 3], "y": [0.0, np.nan, 1.0]})
    assert rows_of_parquet(tmp_path, frame).classes == ("0", "1")


def rows_of_parquet(tmp_path: Path, frame: pd.DataFrame) -> Items:
    """The frame read as from a .parquet file, whether or not pyarrow is there."""
    from unittest.mock import patch

    (tmp_path / "mine.parquet").touch()
    with patch("pandas.read_parquet", lambda path: frame):
        return load_items("table", tmp_path / "mine.parquet", label="y", announce=str)


def test_a_sign_for_a_gap_among_numbers_is_told_of_with_its_row(tmp_path):
    _, lines = text(tmp_path, "a,b\n" + "".join(f"{k},{'?' if k == 5 else k % 7}\n" for k in range(20)))
    assert len(lines) == 1 and all(word in lines[0] for word in ("'b'", "row 7", "'?'", " 19 rows"))
    _, lines = text(tmp_path, "a,b\n1,x\n2,y\n3,5\n")  # words, one of which is a number
    assert lines == []


def test_rows_keep_their_places_behind_empty_lines_and_breaks_in_quotes(tmp_path):
    items, lines = text(tmp_path, 'a,b\n1,"u\nv"\n\n\n2,w\n')
    assert items.names == ["2", "5"] and len(lines) == 1 and "2 empty rows" in lines[0]
    items, lines = text(tmp_path, "\na,b\n1,2\n2,3\n\n")
    assert items.names == ["3", "4"]


def test_a_column_that_is_there_twice_is_refused_in_a_text(tmp_path):
    with pytest.raises(DataError, match="mine.csv: .*'a'"):
        text(tmp_path, "a,b,a\n1,2,3\n4,5,6\n")


@pytest.mark.parametrize("known", [False, True])
def test_a_number_beyond_what_a_model_takes_is_refused_by_its_place(tmp_path, known):
    sketch = {"a": {"kind": "number", "low": 0.0, "middle": 1.0, "high": 2.0, "gaps": False}} if known else None
    with pytest.raises(DataError, match="column 'a', row 3"):
        text(tmp_path, "a\n1\n1e60\n2\n", sketch=sketch)


def test_a_column_whose_numbers_hardly_differ_is_left_out_with_the_difference(tmp_path):
    rows = "".join(f"{k % 5},{9007199254740992 + k % 2},{1e-17 * k}\n" for k in range(20))
    items, lines = text(tmp_path, "a,b,c\n" + rows)
    assert items.images.shape[-1] == 1 and list(items.read_as["sketch"]) == ["a"]
    assert (
        len(lines) == 1
        and "b (its numbers differ by 0)" in lines[0]
        and "c (its numbers differ by 1.9e-16)" in lines[0]
    )


def test_a_column_of_one_number_and_gaps_is_kept_for_its_gaps(tmp_path):
    items, lines = text(tmp_path, "a,b\n" + "".join(f"{k % 5},{'' if k % 3 else 7}\n" for k in range(20)))
    assert list(items.read_as["sketch"]) == ["a", "b"] and lines == []
    assert items.images[:, 0, 0, -1].tolist() == [float(k % 3 > 0) for k in range(20)]


def test_what_was_learnt_of_a_column_and_cannot_be_is_named(tmp_path):
    known = {"kind": "number", "low": 0.0, "middle": 1.0, "high": 2.0, "gaps": False}
    for odd in ({"kind": "colour"}, {**known, "low": "none"}, []):
        with pytest.raises(DataError, match="column 'b'"):
            text(tmp_path, "a,b\n1,2\n2,1\n", sketch={"a": known, "b": odd})

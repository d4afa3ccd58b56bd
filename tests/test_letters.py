"""The letters of chapter 10: the set and its splits, what renders it, the model and its measures."""

from __future__ import annotations

import io
import json
import lzma
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch

import letters as tool
import lower_case
from aae_core import cards, data, metrics, records, variants, zoo
from aae_core.data import DataError, Digits, load_dataset
from aae_core.data.letters import LETTERS, PARTS, all_faces, faces_of, letters_of
from aae_core.models.letters import letters_model
from aae_core.recipes import recipe
from aae_core.training import Batch
from plain_descent import plain_descent


def test_the_letters_come_with_the_package():
    lines = []
    splits = load_dataset("letters", announce=lines.append)
    assert splits.dataset == "letters" and splits.classes == LETTERS and splits.image_shape == (1, 28, 28)
    assert lines == [splits.describe()] and "images" in lines[0]
    for name in ("train", "validation", "test"):
        part = getattr(splits, name)
        assert len(part) == 26 * len(faces_of(name)) and (part.labels[:52] == torch.arange(52) % 26).all()
    with pytest.raises(DataError, match="letters: .*folder"):
        load_dataset("letters", "somewhere")


def test_every_face_is_in_one_part_and_held_out_families_are_whole():
    families = {part: {face.family for face in faces_of(part)} for part in PARTS}
    assert sum(len(faces_of(part)) for part in PARTS) == len(all_faces())
    assert not families["test"] & families["validation"] and not families["train"] & (
        families["test"] | families["validation"]
    )
    assert families["siblings"] and len(families["siblings"] - families["train"]) < 0.2 * len(families["siblings"])
    assert min(len(families[part]) for part in PARTS) > 10


def test_no_face_repeats_another_and_each_names_a_free_licence():
    assert {face.licence for face in all_faces()} <= set(tool.LICENCES)
    assert {face.package for face in all_faces()} == set(tool.PACKAGES.split())
    held_out, learnt = (letters_of(part).pixels().view(-1, 26 * 784) for part in ("test", "train"))
    gaps = torch.cdist(held_out, learnt).square() / held_out.shape[1]
    assert gaps.min() > 0.9 * tool.ALIKE  # the tool's own arithmetic is float32, too


def test_letters_stand_in_the_frame_on_one_line():
    images = letters_of("test").images.view(-1, 26, 28, 28)
    inked = images[:, LETTERS.index("H")].amax(2) > 51
    height = inked.sum(1)
    assert 14 <= height.min() and height.max() <= 20 and height.median() == 18
    assert ((inked.float().argmax(1) + height / 2) - 14).abs().max() <= 1  # an H stands in the middle


def test_a_font_becomes_a_face_by_its_own_name_table(monkeypatch):
    from matplotlib import font_manager

    dejavu = Path(font_manager.findfont("DejaVu Sans")).read_bytes()
    face = tool.read("some-package", dejavu, "1.2-3")
    assert face.family == "DejaVu Sans" and face.licence == "Bitstream Vera licence" and face.version == "1.2-3"
    assert face.images.shape == (26, 28, 28) and face.images.max() == tool.LEVELS - 1
    assert tool.read("some-package", b"no font") is None
    monkeypatch.setattr(tool, "LICENCES", {"another": "another"})
    assert tool.read("some-package", dejavu) is None  # names none of these


def test_small_capitals_are_no_lower_case():
    from matplotlib import font_manager

    dejavu = Path(font_manager.findfont("DejaVu Sans")).read_bytes()
    both = tool.read("some-package", dejavu, letters=lower_case.BOTH).images
    assert both.shape == (52, 28, 28) and lower_case.ascends(both)
    assert not lower_case.ascends(np.concatenate([both[:26], both[:26]]))


def test_each_face_says_of_which_version_of_its_package_it_was_rendered():
    versions = {(face.package, face.version) for face in all_faces()}
    assert len(versions) == len({package for package, _ in versions}) and all(version for _, version in versions)


@pytest.mark.parametrize(
    ("family", "name"),
    [("IBM Plex Sans Condensed", "ibm plex"), ("Source Serif 4", "source"), ("Mono", "mono"), ("3270", "3270")],
)
def test_members_go_by_their_familys_name(family, name):
    assert tool.name_of(family) == name


def test_copies_go_and_families_that_share_a_look_are_one():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 16, (2, 26, 28, 28), np.uint8)
    faces = [
        tool.Face("p", family, "", "", images) for family, images in (("X Sans", a), ("Y", b), ("Z", a), ("Y Bold", a))
    ]
    apart = tool.distances(faces)
    assert tool.without_copies(apart) == [0, 1]
    assert tool.families(faces, apart) == ["y", "y", "y", "y"]


def test_ornaments_are_no_letters():
    images = letters_of("validation").images.view(-1, 26, 28, 28).numpy() // 17
    faces = [tool.Face("p", str(k), "", "", each) for k, each in enumerate(images)]
    faces.append(tool.Face("p", "shifted", "", "", np.roll(images[0], 3, 0)))
    assert faces[-1] not in tool.latin(faces) and len(tool.latin(faces)) > 0.9 * len(faces)


def test_labels_go_up_to_the_sets_own_number_of_classes():
    images = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    assert len(Digits(images, torch.tensor([0, 25]), 26).subset(slice(0, 1)).to("cpu").hide_labels(0, 0)) == 1
    with pytest.raises(DataError, match="0 … 25"):
        Digits(images, torch.tensor([0, 26]), 26)


@pytest.mark.slow
def test_the_model_has_26_classes_and_is_measured_as_chapter_fives_is():
    splits = load_dataset("letters", announce=str)
    few = data.Splits(*(part.subset(slice(0, 26 * 20)) for part in (splits.train, splits.validation, splits.test)),
        source="", checksum="", dataset="letters", classes=LETTERS)  # fmt: skip
    torch.manual_seed(0)
    model, judge = (
        letters_model(hidden=(16, 16), discriminator_hidden=(16, 16), code_dim=3),
        recipe("letters-judge").make(0, n_classes=26),
    )
    assert model.sample(3, y=25).shape == (3, 1, 28, 28)
    found = metrics.evaluate(model, few, recipe("letters").measures, judge)
    assert found["class_mse"].value > found["class_mse"].reference  # it has not learnt
    assert found["swap_accuracy"].value < 0.3 and 0.03 < found["style_leak_mlp"].reference < 0.04
    asked = ["swap_accuracy", "neighbour_style", "other_mse"]
    assert metrics.left_out(asked, splits) == ("neighbour_style",)
    assert metrics.left_out(asked, replace(splits, dataset="mnist")) == ("other_mse",)
    for dataset in ("folder", "table"):
        assert metrics.left_out(asked, replace(splits, dataset=dataset)) == tuple(asked)


def test_pairs_are_letters_of_one_face_and_an_epoch_has_every_image_once():
    n, groups = 26, 7
    number = torch.arange(groups * n)
    numbered = Digits(number.float().view(-1, 1, 1, 1), number % n, n)
    seen = torch.cat([images.flatten() for images, _ in numbered.batches(20, pairs_of=n)]).long()
    assert torch.equal(seen.sort().values, number)
    first, second = seen.view(-1, 2).unbind(1)
    assert torch.equal(first // n, second // n)
    assert (
        len((first // n)[:groups].unique()) > 1 and len((second - first).unique()) > n
    )  # mixed, and with other partners each
    halves = [
        numbered.batches(20, torch.Generator().manual_seed(0), share=slice(k, 160, 2), pairs_of=n) for k in (0, 1)
    ]
    shared = torch.cat([images.flatten() for half in halves for images, _ in half]).long()
    assert len(shared.unique()) == 160 and (shared.view(-1, 2) // n).diff().eq(0).all()  # two processes, whole pairs
    with pytest.raises(DataError, match="pairs_of: .*25"):
        next(numbered.batches(20, pairs_of=25))


def test_an_image_of_a_pair_is_rebuilt_from_the_style_of_the_other():
    torch.manual_seed(0)
    model = letters_model(hidden=(16,), batch_norm=(), code_dim=2, variation=None)
    seen = []
    model.encoder.register_forward_hook(lambda _, given, code: seen.append(given[0]))
    model.decoder.register_forward_hook(lambda _, given, drawn: seen.append(given[1]))
    x, y = torch.rand(8, 1, 28, 28), torch.arange(8)
    losses = model.step(Batch(x, y), plain_descent(model, 0.0))
    partner = y.view(-1, 2).flip(1).flatten()
    assert torch.equal(seen[0], x) and torch.equal(seen[1], partner)
    wanted = (model.decode(model.encode(x), partner) - x[partner]).square().mean()
    assert losses["reconstruction"].item() == pytest.approx(wanted.item(), rel=1e-5)


def test_a_pair_is_varied_alike():
    torch.manual_seed(0)
    model = letters_model(hidden=(16,), code_dim=2)
    seen = []
    model.encoder.register_forward_hook(lambda _, given, code: seen.append(given[0]))
    x = torch.rand(4, 1, 28, 28).repeat_interleave(2, 0)  # partners look alike, and still do however they are slanted
    model.step(Batch(x, torch.arange(8)), plain_descent(model, 0.0))
    assert torch.equal(seen[0][::2], seen[0][1::2]) and not torch.equal(seen[0], x)


def test_data_without_faces_are_refused_by_the_recipe():
    with pytest.raises(DataError, match="letters' alone.*supervised"):
        recipe("letters").train(data.embedded(), progress=False)


class MadeUp(torch.nn.Module):
    """A model of letters as a test needs it."""

    n_classes = 26

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))  # says on which device the model is


def test_letters_drawn_from_another_letters_style_are_held_against_the_mean_of_each_letter():
    train, held_out = letters_of("train"), letters_of("validation").subset(slice(0, 26 * 10))
    means = train.pixels().unflatten(0, (-1, 26)).mean(0)

    class Means(MadeUp):
        """Draws each letter's mean, whatever the style."""

        def encode(self, x):
            return x.flatten(1)[:, :2]

        def decode(self, z, y):
            return means[y]

    found = metrics.other_mse(Means(), train, held_out)
    assert found.value == pytest.approx(found.reference, rel=1e-4) and found.value > 0.01
    for each in metrics.alphabet_mse(Means(), train, held_out).values():
        assert each.value == pytest.approx(each.reference, rel=1e-4) and each.value > 0.01


def test_letters_of_one_style_are_drawn_from_any_other_one():
    """The style is two numbers, and each picture shows its letter and both of them."""
    n, style = 26, torch.rand(6, 1, 2, generator=torch.Generator().manual_seed(0)).expand(6, 26, 2).flatten(0, 1)
    y = torch.arange(n).repeat(6)
    images = torch.cat([style, y[:, None] / n], 1).view(-1, 1, 1, 3)

    class Exact(MadeUp):
        def encode(self, x):
            return x[:, 0, 0, :2]

        def decode(self, z, y):
            return torch.cat([z, y[:, None] / n], 1).view(-1, 1, 1, 3)

    faces = Digits(images, y, n)
    for found in (metrics.other_mse(Exact(), faces, faces), *metrics.alphabet_mse(Exact(), faces, faces).values()):
        assert found.value == pytest.approx(0, abs=1e-9) and found.reference > 0.01


def test_hairlines_are_compared_with_the_heaviest_faces():
    faces, n = 20, 26
    ink = torch.linspace(0.1, 1, faces).repeat_interleave(n).view(-1, 1, 1, 1)
    held_out = Digits(ink, torch.arange(n).repeat(faces), n)

    class Short(MadeUp):
        """Rebuilds each picture with 0.05 less ink."""

        def reconstruct(self, x, y):
            return x - 0.05

    found = metrics.hairline_share(Short(), held_out)
    weights = ink.flatten()[::n]
    assert found.value == pytest.approx(float((0.05 / weights[:4]).square().mean()), rel=1e-3)
    assert found.reference == pytest.approx(float((0.05 / weights[-4:]).square().mean()), rel=1e-3)


def test_more_letters_are_shown_and_those_shown_do_not_count():
    n, faces = 26, 40
    torch.manual_seed(0)
    face, noise = torch.randn(faces, 1, 1), torch.randn(faces, n, 1)
    noise[:, :, 0] -= noise[:, :, 0].mean(0)
    style = (face + 0.2 * noise).flatten(0, 1)
    images = (0.5 + 0.1 * face).expand(faces, n, 1).reshape(-1, 1, 1, 1)
    held_out = Digits(images, torch.arange(n).repeat(faces), n)

    class Noisy(MadeUp):
        def encode(self, x):
            return style

        def decode(self, z, y):
            return (0.5 + 0.1 * z).view(-1, 1, 1, 1)

    found = metrics.alphabet_mse(Noisy(), held_out, held_out)
    assert list(found) == ["1", "3", "10"]
    # The mean of k independent noises of deviation 0.02 has a k-th of one's variance.
    for k, each in found.items():
        assert each.value == pytest.approx(0.0004 / int(k), rel=0.35)
        assert each.reference == pytest.approx(float(images.var(correction=0)), rel=1e-3)


def test_recorded_runs_are_of_these_letters_and_as_their_variants_are_today():
    found, checksum = records.recorded("letters"), load_dataset("letters", announce=str).checksum
    assert {
        "as it is",
        "from its own style",
        "short",
        "from its own style, short",
        "convolutions",
        "convolutions, short",
        "four discriminator steps",
        "eight discriminator steps",
    } == {card["variant"] for card in found}
    for card in found:
        made = variants.variant("letters", card["variant"]).made(card["seed"])
        assert card["data"]["checksum"] == checksum and card["steps"] == card["epochs"] * (22_802 // 128)
        assert (card["epochs"], card["batch_size"]) == (made.training.epochs, made.training.batch_size)
        assert records.agree(card["configuration"], json.loads(json.dumps(cards.configuration(made, n_classes=26))))
    kept = [card for card in found if (card["variant"], card["split"]) == ("as it is", "test")]
    assert [card["weights"]["sha256"] for card in kept] == [zoo.card("letters")["weights"]["sha256"]]


def test_two_pixels_lie_in_a_byte_the_left_one_above():
    packed = resources.files("aae_core.data").joinpath("letters.npy.xz").read_bytes()
    first = np.load(io.BytesIO(lzma.decompress(packed)))[0, 7]  # H
    rows = [[grey * 17 for byte in row for grey in divmod(int(byte), 16)] for row in first]
    part = all_faces()[0].part
    assert letters_of(part).images[7, 0].tolist() == rows and {0, 255} <= set(sum(rows, []))

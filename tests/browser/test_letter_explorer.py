"""The letter explorer as a reader meets it: a letter of ours is picked, or one is drawn, and real fonts near to it are named."""

import re

import pytest
import torch

import aae_core
from aae_core import metrics
from aae_core.data import LETTERS, faces_of, letters_of
from aae_core.explorers import LetterExplorer
from tab import ROOT, get
from test_draw_explorer import draw

pytestmark = pytest.mark.browser

LEAD = f"{ROOT} .aae-bar .aae-lead"
NAMES = re.compile(r"Nearest real fonts: ([^,.]+), ([^,.]+), ([^,.]+)\.")
PICKED = {"A": 3, "G": 50, "R": 90}  # letters, each of another held-out face
KNOWN = 300  # fonts that may be named


@pytest.fixture(scope="module")
def model():
    return aae_core.load("letters").eval()


@pytest.fixture(scope="module")
def ours():
    return letters_of("validation").subset(
        torch.tensor([26 * face + LETTERS.index(letter) for letter, face in PICKED.items()])
    )


@pytest.fixture(scope="module")
def fonts(model):
    """Names of faces, without points and commas, so that a list of them can be read; and their styles (KNOWN, code_dim)."""
    codes = metrics.codes_of(model, letters_of("train").subset(slice(0, 26 * KNOWN)))
    return [re.sub("[.,]", "", face.name) for face in faces_of("train")[:KNOWN]], codes.unflatten(0, (-1, 26)).mean(1)


@pytest.fixture(scope="module")
def url(pages, model, ours, fonts):
    return pages(LetterExplorer(model, ours, fonts, names=LETTERS))


def named(tab):
    """The names that stand under the alphabet."""
    tab.wait_for_function("(lead) => /Nearest/.test(document.querySelector(lead).textContent)", arg=LEAD)
    found = NAMES.search(tab.locator(LEAD).inner_text())
    assert found, tab.locator(LEAD).inner_text()
    return list(found.groups())


def are_nearest(names, style, fonts):
    """Whether no font is nearer to a style than those named, in their order, but by what half precision does."""
    gaps = (fonts[1] - style).norm(dim=1)
    shown = torch.stack([gaps[fonts[0].index(name)] for name in names])
    return torch.allclose(shown, gaps.sort().values[:3], rtol=0.01)


def test_a_letter_of_ours_is_beside_the_real_fonts_whose_styles_are_nearest(again, url, model, ours, fonts):
    tab = again(url)
    assert "Nearest" not in tab.locator(LEAD).inner_text()  # of an empty paper nothing was read
    with torch.no_grad():
        styles = model.encode(ours.pixels())
    said = []
    for k, style in enumerate(styles):
        tab.locator(".aae-ours button").nth(k).click()
        tab.wait_for_function("(k) => models[0].get('example') === k", arg=k)
        said.append(named(tab))
        assert are_nearest(said[k], style, fonts)
    assert len({tuple(names) for names in said}) == len(PICKED)


def test_a_letter_that_is_drawn_has_its_nearest_fonts_and_none_when_the_paper_is_cleared(again, url, fonts):
    tab = again(url)
    draw(tab, [[(0.3, 0.2), (0.3, 0.8)], [(0.3, 0.5), (0.7, 0.5)], [(0.7, 0.2), (0.7, 0.8)]])  # an H
    assert are_nearest(named(tab), torch.tensor(get(tab, "z")), fonts)
    tab.get_by_role("button", name="Clear").click()
    tab.wait_for_function("(lead) => !/Nearest/.test(document.querySelector(lead).textContent)", arg=LEAD)

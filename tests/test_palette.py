"""Digits' colours, on either paper."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from aae_core import palette, plotting, svg


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255


def luminance(colour: str) -> float:
    channels = rgb(colour)
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("theme", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_digits_stand_out_from_the_paper_and_from_each_other(theme):
    colours = [theme[f"digit-{k}"] for k in range(10)]
    for colour in colours:
        low, high = sorted([luminance(colour), luminance(theme["paper"])])
        assert (high + 0.05) / (low + 0.05) >= 3, colour
    assert min(np.abs(rgb(a) - rgb(b)).sum() for a in colours for b in colours if a != b) > 0.25


def test_a_dark_digit_is_what_the_pages_filter_makes_of_it():
    turned = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])
    for light, dark in zip(palette.DIGITS, palette.DARK_DIGITS, strict=True):
        assert np.clip(turned @ (1 - rgb(light)), 0, 1) == pytest.approx(rgb(dark), abs=0.01)


def test_a_bitmap_of_codes_follows_the_theme_and_so_does_its_key():
    fig = Figure()
    plotting.draw_codes(fig.subplots(), torch.randn(500, 2), torch.arange(500) % 10)
    plotting.draw_digit_key(fig)
    drawn = svg.themed_svg(fig, "f", "codes")
    assert re.search(r'<image[^>]* id="f-ink', drawn)
    assert all(f"var(--aae-digit-{k}, {colour})" in drawn for k, colour in enumerate(palette.DIGITS))

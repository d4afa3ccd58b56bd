"""The Parzen explorer on Python's side: what is measured, what goes to the page, and what is refused."""

import base64
import io
import math

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from aae_core.explorers import ParzenExplorer, ParzenSeries
from aae_core.explorers.parzen import DRAWN, GRID, SENT


def images(n, seed=0, strength=1.0):
    return strength * torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def series(n=12, values=(1.0, 3.0, 2.0), bandwidths=(0.1, 0.2, 0.4)):
    return ParzenSeries(images(n), values, bandwidths)


def test_what_is_measured_is_the_mean_log_density_of_the_held_out_images():
    samples, held_out = images(20), images(7, seed=1)
    made = ParzenSeries.measured(samples, held_out, (0.1, 0.3))
    for width, value in zip(made.bandwidths, made.values, strict=True):
        window = torch.distributions.Normal(samples.double().flatten(1), width)
        each = window.log_prob(held_out.double().flatten(1)[:, None]).sum(2)
        real = (each.logsumexp(1) - math.log(20)).mean()
        assert value == pytest.approx(float(real), abs=0.05)
    assert torch.equal(made.images, samples)
    assert len(ParzenSeries.measured(images(SENT + 5), held_out).images) == SENT


def test_the_grid_spans_the_bandwidths_in_even_steps():
    steps = np.diff(np.log(GRID))
    assert GRID[0] == 0.05 and GRID[-1] == 0.6 and np.allclose(steps, steps[0], atol=1e-3)


def test_the_page_receives_the_curves_and_the_samples():
    one, two = series(), ParzenSeries(images(15, seed=3), (0.0, 1.0, 4.0), (0.1, 0.2, 0.4))
    explorer = ParzenExplorer({"one": one, "two": two}, seed=4)
    assert explorer.series == [{"name": "one", "values": [1, 3, 2]}, {"name": "two", "values": [0, 1, 4]}]
    assert (explorer.bandwidths, explorer.bandwidth, explorer.start) == ([0.1, 0.2, 0.4], 0.2, [0.2, 4])
    bytes_ = np.frombuffer(base64.b64decode(explorer.images), np.uint8)
    greys = np.stack([bytes_ >> 4, bytes_ & 15], 1).reshape(2, 12, 28, 28) / 15  # of each as many as the fewest
    real = torch.stack([one.images, two.images[:12]])[:, :, 0].numpy()
    assert np.abs(greys - real).max() <= 1 / 30 + 1e-6


def test_the_traits_follow_and_can_be_observed():
    explorer, seen = ParzenExplorer({"one": series()}), []
    explorer.observe(lambda change: seen.append(change["new"]), ["bandwidth", "seed"])
    explorer.bandwidth, explorer.seed = 0.3, 7
    assert seen == [0.3, 7]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("bandwidth", 0.05, "bandwidth: .*0.1 … 0.4.*0.05"),
        ("bandwidth", 0.5, "bandwidth: .*0.1 … 0.4.*0.5"),
        ("bandwidth", math.nan, "bandwidth:"),
        ("seed", -1, "seed"),
        ("seed", 10_000, "seed"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(trait, value, message):
    with pytest.raises(traitlets.TraitError, match=message):
        ParzenExplorer({"one": series()}, **{trait: value})
    explorer = ParzenExplorer({"one": series()})
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, trait, value)
    assert (explorer.bandwidth, explorer.seed) == (0.2, 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ParzenExplorer({}), "series: .*0"),
        (lambda: ParzenExplorer(dict.fromkeys("abcdefg", series())), "series: .*7"),
        (lambda: ParzenExplorer({"a": series(), "b": series(bandwidths=(0.1, 0.2, 0.3))}), "series: .*bandwidths"),
        (lambda: series(DRAWN - 1), r"images: .*\(N, 1, 28, 28\).* 10, .*\(9, "),
        (lambda: ParzenSeries(images(12).flatten(1), (1, 2, 3), (0.1, 0.2, 0.4)), r"images: .*\(12, 784\)"),
        (lambda: ParzenSeries(images(12, strength=255), (1, 2), (0.1, 0.2)), r"images: .*\[0, 1\]"),
        (lambda: ParzenSeries(images(12) * math.nan, (1, 2), (0.1, 0.2)), r"images: .*\[0, 1\]"),
        (lambda: series(values=(1.0, 2.0)), "values: .*3"),
        (lambda: series(values=(1.0, 2.0, -math.inf)), "values: .*3"),
        (lambda: series(bandwidths=(0.2, 0.1, 0.4)), "bandwidths:"),
        (lambda: series(bandwidths=(0.0, 0.1, 0.4)), "bandwidths"),
        (lambda: series(values=(1.0,), bandwidths=(0.1,)), "bandwidths"),
    ],
)
def test_a_series_that_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_still_is_a_row_of_noisy_samples_for_each_series():
    quiet, loud = (
        ParzenExplorer({"one": series(), "two": series()}, bandwidth=width, title="Two") for width in (0.1, 0.4)
    )
    sheets = [np.asarray(Image.open(io.BytesIO(base64.b64decode(one.poster))).convert("RGBA")) for one in (quiet, loud)]
    height, width, _ = sheets[0].shape
    assert width / height == pytest.approx(DRAWN / 2, rel=0.05)
    assert sheets[1][..., 3].std() > sheets[0][..., 3].std()
    assert quiet.poster_alt.startswith("one; two: a row of samples each") and "0.1" in quiet.poster_alt

"""What the encoder sees in training (chapter 6): damage drawn anew for each image, and never more than was asked for."""

import math

import pytest
import torch

from aae_core.corruption import Corruption
from aae_core.data import embedded
from aae_core.training import seed_everything


def dot(row: int = 14, column: int = 14) -> torch.Tensor:
    """One image (1, 1, 28, 28) with a soft dot."""
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    return torch.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 4)[None, None]


def centre(images: torch.Tensor) -> torch.Tensor:
    """Centre of mass (N, 2), row and column."""
    mass = images[:, 0] / images[:, 0].sum((1, 2), keepdim=True)
    at = torch.arange(28.0)
    return torch.stack([(mass.sum(2) * at).sum(1), (mass.sum(1) * at).sum(1)], 1)


def test_without_any_kind_of_damage_the_image_is_the_same():
    x = torch.rand(3, 1, 28, 28)
    assert torch.equal(Corruption(noise=0)(x), x)


def test_noise_has_the_standard_deviation_asked_for():
    x = torch.full((64, 1, 28, 28), 0.5)
    damage = Corruption(noise=0.3)(x) - x
    assert damage.mean().abs() < 0.01 and damage.std() == pytest.approx(0.3, rel=0.02)


def test_a_shift_reaches_as_many_pixels_as_asked_for_and_no_more():
    seed_everything(0)
    moved = centre(Corruption(noise=0, shift=2)(dot().expand(500, -1, -1, -1))) - centre(dot())
    assert moved.abs().max() <= 2.05 and moved.abs().max() > 1.9
    assert moved.mean(0).abs().max() < 0.2


def test_a_rotation_turns_about_the_middle():
    seed_everything(0)
    turned = centre(Corruption(noise=0, rotation=30)(dot(row=8).expand(500, -1, -1, -1))) - 13.5
    angle = torch.atan2(turned[:, 1], -turned[:, 0]) * 180 / math.pi
    start = math.degrees(math.atan2(0.5, 5.5))
    assert (angle - start).abs().max() <= 31 and (angle - start).abs().max() > 28
    assert turned.norm(dim=1).std() < 0.1


def test_a_shear_moves_rows_sideways_in_proportion_to_their_distance_from_the_middle():
    seed_everything(0)
    sheared = centre(Corruption(noise=0, shear=0.3)(dot(row=6).expand(500, -1, -1, -1))) - centre(dot(row=6))
    assert sheared[:, 0].abs().max() < 0.05
    assert sheared[:, 1].abs().max() == pytest.approx(0.3 * 7.5, rel=0.1)


def test_a_scale_changes_height_and_width_each_on_its_own():
    seed_everything(0)
    scaled = centre(Corruption(noise=0, scale=0.2)(dot(row=6, column=8).expand(500, -1, -1, -1))) - 13.5
    factors = scaled / torch.tensor([-7.5, -5.5])
    assert factors.min() > math.exp(-0.22) and factors.max() < math.exp(0.22)
    assert torch.corrcoef(factors.T)[0, 1].abs() < 0.2


def test_each_image_is_damaged_on_its_own_and_stays_a_digit():
    x = embedded().test.pixels(slice(0, 1)).expand(8, -1, -1, -1)
    moved = Corruption(noise=0, shift=1.5, rotation=10, scale=0.1, shear=0.2)(x)
    assert not torch.equal(moved[0], moved[1])
    assert moved.min() >= 0 and moved.max() <= 1
    assert moved.mean().item() == pytest.approx(x.mean().item(), rel=0.25)


@pytest.mark.parametrize(
    "amount", [{"noise": -0.1}, {"shift": float("inf")}, {"rotation": 181}, {"shear": float("nan")}]
)
def test_impossible_amounts_are_refused(amount):
    with pytest.raises(ValueError, match=f"{next(iter(amount))}: expected"):
        Corruption(**amount)

"""Priors: what a latent code should look like. An adversarial autoencoder needs only samples of them.

Each has ``dim``, ``n_classes`` (0 where it knows no labels), ``sample`` and, where there is one, ``log_prob``. ``sample`` checks
what it is asked for and leaves the rest to ``draw``, which each kind of prior defines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from aae_core.checks import check_code
from aae_core.construction import Constructed
from aae_core.networks import one_hot


class Prior(Constructed):
    """The interface of a prior over codes of width `dim`."""

    dim: int
    n_classes: int = 0
    regions: str = "regions"  # what a message calls them

    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        generator: Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        """`n` independent codes, ``float32`` (n, dim).

        Args:
            n: how many, at least 1.
            labels: ``int64`` (n,), for a prior whose regions belong to classes; None draws from the whole prior.
            generator: source of randomness on `device`; torch's global one by default.
            device: where the codes are made.

        Raises:
            ValueError: `n` is below 1, or labels are given that this prior does not have.
        """
        return self.draw(n, self._checked(n, labels, device), generator, device)

    def draw(self, n: int, labels: Tensor | None, generator: Generator | None, device: torch.device | str) -> Tensor:
        """The codes of :meth:`sample`, which has checked what is asked for. A prior of your own defines this one."""
        raise NotImplementedError

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, (N,), for codes (N, dim)."""
        raise NotImplementedError(f"{type(self).__name__} has samples but no density in closed form.")

    def region(self, z: Tensor) -> Tensor:
        """The label (N,) of the region in which each code (N, dim) lies, for a prior whose regions belong to labels."""
        raise ValueError(f"region: {type(self).__name__} has no regions that belong to labels.")

    def _checked(self, n: int, labels: Tensor | None, device: torch.device | str) -> Tensor | None:
        """The labels on `device`, if there are any; refuses a request that cannot be served."""
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"n: expected a number of samples of at least 1, got {n!r}.")
        if labels is None:
            return None
        if not self.n_classes:
            raise ValueError(f"labels: {type(self).__name__} has no regions that belong to labels; leave them out.")
        if labels.shape != (n,):
            raise ValueError(f"labels: expected shape ({n},), one per sample, got {tuple(labels.shape)}.")
        labels = labels.to(device)
        # A look at the values would make a GPU wait at every step; there the device checks them when it indexes.
        if labels.device.type == "cpu" and (int(labels.min()) < 0 or int(labels.max()) >= self.n_classes):
            low, high = int(labels.min()), int(labels.max())
            raise ValueError(f"labels: expected {self.regions} 0 … {self.n_classes - 1}, got {low} … {high}.")
        return labels


class Gaussian(Prior):
    """The normal prior N(0, σ² I), standard by default.

    Args:
        dim: width of the code, at least 1.
        std: σ, the standard deviation of each coordinate.
    """

    def __init__(self, dim: int, std: float = 1.0) -> None:
        if dim < 1:
            raise ValueError(f"dim: expected a width of at least 1, got {dim}.")
        if not 0 < std < math.inf:
            raise ValueError(f"std: expected a positive number, got {std}.")
        self.dim, self.std = dim, std

    def draw(self, n: int, labels: Tensor | None, generator: Generator | None, device: torch.device | str) -> Tensor:
        return self.std * torch.randn(n, self.dim, generator=generator, device=device)

    def log_prob(self, z: Tensor) -> Tensor:
        check_code(z, self.dim)
        return -0.5 * ((z / self.std).square().sum(1) + self.dim * math.log(2 * math.pi * self.std**2))


class Categorical(Prior):
    """The categorical prior: one-hot codes, each class as likely as any other (section 5 of the paper).

    Args:
        n_classes: number of classes, at least 2; a code is as wide.
    """

    regions = "classes"

    def __init__(self, n_classes: int) -> None:
        if n_classes < 2:
            raise ValueError(f"n_classes: expected at least 2, got {n_classes}.")
        self.dim = self.n_classes = n_classes

    def draw(self, n: int, labels: Tensor | None, generator: Generator | None, device: torch.device | str) -> Tensor:
        if labels is None:
            labels = torch.randint(self.n_classes, (n,), generator=generator, device=device)
        return one_hot(labels, self.n_classes)

    def region(self, z: Tensor) -> Tensor:
        """The largest entry of each code, (N,), for codes (N, n_classes)."""
        check_code(z, self.dim)
        return z.argmax(1)


class GaussianMixture(Prior):
    """A flower of 2-D Gaussians, one petal per component: the usual form of the paper's mixture (Figures 2 and 4).

    Petal k points in the direction 2πk / n_components, its centre `shift` from the origin. The label of its samples is k.

    Args:
        n_components: number of petals, at least 1.
        shift: distance of each petal's centre from the origin.
        radial_std: standard deviation along the petal, away from the origin.
        tangential_std: standard deviation across the petal.
        weights: share of each petal, non-negative and of sum 1; None makes all petals alike.
        dim: width of the code, at least 2; the flower is in its first two coordinates, the others are standard normal.

    Raises:
        ValueError: no petal, a scale that is not positive, weights that are not shares of one whole, or a narrower code.
    """

    regions = "petals"

    def __init__(
        self,
        n_components: int = 10,
        shift: float = 1.4,
        radial_std: float = 0.5,
        tangential_std: float = 0.1,
        weights: Sequence[float] | None = None,
        dim: int = 2,
    ) -> None:
        if dim < 2:
            raise ValueError(f"dim: expected a width of at least 2, got {dim}.")
        if n_components < 1:
            raise ValueError(f"n_components: expected at least 1, got {n_components}.")
        for name, value in (("radial_std", radial_std), ("tangential_std", tangential_std)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name}: expected a positive number, got {value}.")
        if not 0 <= shift < math.inf:
            raise ValueError(f"shift: expected a number of at least 0, got {shift}.")
        shares = torch.full((n_components,), 1 / n_components) if weights is None else torch.tensor(weights).float()
        if shares.shape != (n_components,) or not (shares >= 0).all() or abs(float(shares.sum()) - 1) > 1e-4:
            raise ValueError(
                f"weights: expected {n_components} shares of at least 0 that sum to 1, got {tuple(shares.shape)} "
                f"of sum {float(shares.sum()):.4g}."
            )
        self.dim, self.n_classes = dim, n_components
        self.shift, self.radial_std, self.tangential_std = shift, radial_std, tangential_std
        self.weights = shares / shares.sum()

    def _axes(self, device: torch.device | str) -> tuple[Tensor, Tensor]:
        """The direction of each petal, and that across it, unit vectors (K, 2)."""
        angle = 2 * math.pi * torch.arange(self.n_classes, device=device) / self.n_classes
        return torch.stack([angle.cos(), angle.sin()], 1), torch.stack([-angle.sin(), angle.cos()], 1)

    def draw(self, n: int, labels: Tensor | None, generator: Generator | None, device: torch.device | str) -> Tensor:
        if labels is None:
            labels = torch.multinomial(self.weights.to(device), n, replacement=True, generator=generator)
        along, across = torch.randn(2, n, generator=generator, device=device)
        flower = self.place(labels, along, across)
        return torch.cat([flower, torch.randn(n, self.dim - 2, generator=generator, device=device)], 1)

    def place(self, labels: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """The first two coordinates (N, 2) of codes in the petals `labels`, so many standard deviations `along` and `across` from the centres."""
        radial, tangential = (axes[labels] for axes in self._axes(labels.device))
        radius = self.shift + self.radial_std * along
        return radius[:, None] * radial + self.tangential_std * across[:, None] * tangential

    def log_joint(self, z: Tensor) -> Tensor:
        """log p(k) p(z|k) in nats, (N, n_components), for codes (N, dim)."""
        check_code(z, self.dim)
        z, others = z[:, :2], z[:, 2:]
        radial, tangential = self._axes(z.device)
        # Sums, not matrix products: autocasting would round those to bfloat16, and the petals are narrow.
        along = ((z[:, None] * radial).sum(2) - self.shift) / self.radial_std
        across = (z[:, None] * tangential).sum(2) / self.tangential_std
        norm = math.log(2 * math.pi * self.radial_std * self.tangential_std)
        beside = 0.5 * (others.square().sum(1, keepdim=True) + others.shape[1] * math.log(2 * math.pi))
        return self.weights.to(z.device).log() - 0.5 * (along.square() + across.square()) - norm - beside

    def log_prob(self, z: Tensor) -> Tensor:
        return self.log_joint(z).logsumexp(1)

    def region(self, z: Tensor) -> Tensor:
        """The petal that most probably drew each code, (N,), for codes (N, dim)."""
        return self.log_joint(z).argmax(1)


class SwissRoll(Prior):
    """A spiral in the plane, cut into one segment per digit or other class (the paper's Figure 4).

    Of K classes, class k owns the segment u = (k + U(0, 1)) / K of an arc with r = 3√u and angle = 4π√u: two turns, from the
    centre outwards. The paper does not print its map from digit to segment, nor the roll's thickness; both are our
    choice. With the square root, equal steps of u are nearly equal lengths of arc, so that every digit has about as
    much room. The thickness is normal and at right angles to the arc, so that it blurs no border between segments.

    Args:
        thickness: standard deviation across the arc; 0 is the bare curve. Neighbouring turns are 1.5 apart.
        n_classes: number of segments, at least 1.

    Raises:
        ValueError: no segment; a thickness that is negative, or so large that the turns run into each other.
    """

    dim = 2
    regions = "segments"
    radius, turns = 3.0, 2.0

    def __init__(self, thickness: float = 0.1, n_classes: int = 10) -> None:
        if n_classes < 1:
            raise ValueError(f"n_classes: expected at least 1, got {n_classes}.")
        if not 0 <= thickness <= 0.5:
            raise ValueError(f"thickness: expected 0 … 0.5, a third of the gap between turns, got {thickness}.")
        self.thickness, self.n_classes = thickness, n_classes

    def at(self, u: Tensor, across: Tensor) -> Tensor:
        """The code at `u` in [0, 1] along the arc and `across` thicknesses outwards from it, both (N,): (N, 2)."""
        root = u.sqrt()
        angle = 2 * math.pi * self.turns * root
        radial = torch.stack([angle.cos(), angle.sin()], 1)
        tangential = torch.stack([-radial[:, 1], radial[:, 0]], 1)
        # The arc moves dr = radius outwards while it moves r dθ = 2π turns r sideways; the normal is at right angles.
        dr, sideways = self.radius, 2 * math.pi * self.turns * self.radius * root[:, None]
        normal = (sideways * radial - dr * tangential) / (sideways.square() + dr**2).sqrt()
        return self.radius * root[:, None] * radial + self.thickness * across[:, None] * normal

    def draw(self, n: int, labels: Tensor | None, generator: Generator | None, device: torch.device | str) -> Tensor:
        if labels is None:
            labels = torch.randint(self.n_classes, (n,), generator=generator, device=device)
        along = torch.rand(n, generator=generator, device=device)
        return self.place(labels, along, torch.randn(n, generator=generator, device=device))

    def place(self, labels: Tensor, along: Tensor, across: Tensor) -> Tensor:
        """Codes (N, 2) in the segments `labels`: a share `along` of each in [0, 1], and `across` thicknesses off it."""
        return self.at((labels + along) / self.n_classes, across)

    def nearest(self, z: Tensor, steps: int = 2000) -> Tensor:
        """Where on the arc codes (N, 2) are nearest to it: u (N,) in (0, 1), exact to a half of 1/`steps`."""
        check_code(z, self.dim)
        u = (torch.arange(steps, device=z.device) + 0.5) / steps
        arc = self.at(u, torch.zeros_like(u))
        return torch.cat([u[torch.cdist(part, arc).argmin(1)] for part in z.split(4096)])

    def region(self, z: Tensor) -> Tensor:
        """The digit that owns the nearest point of the arc, (N,), for codes (N, 2)."""
        return (self.nearest(z) * self.n_classes).long()

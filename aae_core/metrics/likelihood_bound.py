"""The evidence lower bound, term by term and in nats per image (chapter 3).

log p(x) ≥ E_q(z|x)[log p(x|z)] − KL(q(z|x) ‖ p(z)), with p(x|z) = N(decoder(z), sigma² I) over all pixels together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from aae_core import losses
from aae_core.data import Digits
from aae_core.metrics.measure import Measure, decode_all, log_sum_exp
from aae_core.priors import Gaussian, Prior
from aae_core.step import AnyModel
from aae_core.training.config import SEEDS_APART

SIGMA = 0.2
"""Standard deviation of a pixel: about what is left of an image that is rebuilt from two numbers."""
SPREADS = tuple(0.01 * 1.3**k for k in range(14))  # .01 … .3


@dataclass(frozen=True)
class Term:
    """A mean over images, in nats, and its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, values: Tensor) -> Term:
        """The mean of one value per image, (N,)."""
        values = values.double()
        return cls(float(values.mean()), float(values.std() / math.sqrt(len(values))))

    def __str__(self) -> str:
        return f"{self.value:.2f} ± {self.error:.2f}"


@dataclass(frozen=True)
class Posteriors:
    """Gaussian posteriors q(z|x), one per image: means and log variances, each (N, d)."""

    mean: Tensor
    log_variance: Tensor

    def draw(self, seed: int) -> Tensor:
        """One code per image, (N, d)."""
        noise = torch.randn(self.mean.shape, generator=torch.Generator().manual_seed(seed))
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z|x) of code k under posterior k, (N,)."""
        return losses.log_normal(z, self.mean, self.log_variance)

    def log_aggregated(self, z: Tensor, rows: int = 100) -> Tensor:
        """log q(z), (M,), for any codes (M, d): q(z) is the even mixture of all N posteriors."""
        mean, log_variance = self.mean.double(), self.log_variance.double()
        precision = (-log_variance).exp()
        # Squares multiplied out, so that all N × M distances are one product; in double, for large terms cancel.
        constant = -0.5 * (log_variance + math.log(2 * math.pi) + mean.square() * precision).sum(1) - math.log(
            len(mean)
        )
        factors = torch.cat([-0.5 * precision, mean * precision], 1).T
        parts = []
        for part in z.double().split(rows):
            parts.append(log_sum_exp((torch.cat([part.square(), part], 1) @ factors + constant).float()))
        return torch.cat(parts)


@torch.no_grad()
def posteriors_of(model: AnyModel, digits: Digits, spread: float | None = None, batch_size: int = 2000) -> Posteriors:
    """q(z|x) of each image: the model's own where it is Gaussian, else N(f(x), spread² I), lent to it.

    A deterministic encoder has no density to put into the bound. Any q(z|x) gives a valid one, so it may borrow.

    Raises:
        ValueError: a model without Gaussian posteriors, and no spread to lend.
    """
    device = next(model.parameters()).device
    starts = range(0, len(digits), batch_size)
    images = (digits.pixels(slice(i, i + batch_size)).to(device) for i in starts)
    if hasattr(model.encoder, "moments"):
        moments = [model.encoder.moments(x) for x in images]
        return Posteriors(*(torch.cat(part).cpu() for part in zip(*moments, strict=True)))
    if spread is None or not 0 < spread < math.inf:
        raise ValueError(f"spread: this encoder is deterministic; lend it a positive standard deviation, got {spread}.")
    mean = torch.cat([model.encode(x) for x in images]).cpu()
    return Posteriors(mean, torch.full_like(mean, 2 * math.log(spread)))


def log_likelihood(model: AnyModel, z: Tensor, x: Tensor, sigma: float = SIGMA) -> Tensor:
    """log p(x|z) in nats, (N,): a sum over pixels, with its constant."""
    parts = zip(x.split(500), z.split(500), strict=True)
    return torch.cat([losses.log_normal(each, decode_all(model, codes), 2 * math.log(sigma)) for each, codes in parts])


def best_spread(model: AnyModel, digits: Digits, sigma: float = SIGMA, n: int = 1000, seed: int = 0) -> float:
    """The spread to lend to a deterministic encoder: that of the highest bound on the first `n` of `digits`."""
    digits = digits.subset(slice(0, n))
    x = digits.pixels().cpu()

    def bound(spread: float) -> float:
        q = posteriors_of(model, digits, spread)
        z = q.draw(seed)
        return float((log_likelihood(model, z, x, sigma) - q.log_prob(z) + model.prior.log_prob(z)).mean())

    return max(SPREADS, key=bound)


def bound_terms(
    model: AnyModel, digits: Digits, *, sigma: float = SIGMA, spread: float | None = None, seed: int = 0
) -> dict[str, Term]:
    """The terms of the bound's three forms, each from draws of its own, so that the forms check one another.

    Args:
        digits: the images; q(z) and with it `information` and `marginal_kl` belong to these images, so that
            `information` cannot exceed the logarithm of their number.
        spread: standard deviation to lend to a deterministic encoder.

    Returns:
        ``reconstruction`` E log p(x|z); ``kl`` E KL(q(z|x) ‖ p(z)), in closed form for a standard normal prior, else
        by Monte Carlo; ``entropy`` E H(q(z|x)), in closed form; ``cross_entropy`` −E_q(z) log p(z); ``information``
        I(x; z); ``marginal_kl`` KL(q(z) ‖ p(z)).
    """
    q, prior = posteriors_of(model, digits, spread), model.prior
    x = digits.pixels().cpu()
    z = q.draw(seed)
    terms = {"reconstruction": log_likelihood(model, z, x, sigma)}
    z = q.draw(seed + 1)
    exact = isinstance(prior, Gaussian)
    terms["kl"] = losses.kl_to_standard_normal(q.mean, q.log_variance) if exact else q.log_prob(z) - prior.log_prob(z)
    terms["entropy"] = losses.entropy_normal(q.log_variance)
    terms["cross_entropy"] = -prior.log_prob(q.draw(seed + 2))
    z = q.draw(seed + 3)
    terms["information"] = q.log_prob(z) - q.log_aggregated(z)
    z = q.draw(seed + 4)
    terms["marginal_kl"] = q.log_aggregated(z) - prior.log_prob(z)
    return {name: Term.of(values) for name, values in terms.items()}


def importance_weighted(
    model: AnyModel,
    digits: Digits,
    *,
    sigma: float = SIGMA,
    spread: float | None = None,
    n_draws: int = 50,
    seed: int = 0,
) -> Term:
    """A tighter lower bound of log p(x): log of the mean of `n_draws` weights p(x, z) / q(z|x) (Burda et al. 2016)."""
    q, x = posteriors_of(model, digits, spread), digits.pixels().cpu()
    weights = []
    for k in range(n_draws):
        z = q.draw(seed * SEEDS_APART + k)
        weights.append(log_likelihood(model, z, x, sigma) + model.prior.log_prob(z) - q.log_prob(z))
    return Term.of(torch.stack(weights).logsumexp(0) - math.log(n_draws))


def bound(model: AnyModel, train: Digits, test: Digits, seed: int = 0) -> dict[str, Measure]:
    """The bound of `test` and its terms; the spread lent to a deterministic encoder is chosen on `train`.

    Each value stands against one that makes it readable: see the measures' own words.
    """
    spread = None if hasattr(model.encoder, "moments") else best_spread(model, train, seed=seed)
    terms = {name: term.value for name, term in bound_terms(model, test, spread=spread, seed=seed).items()}
    tighter = importance_weighted(model, test, spread=spread, n_draws=20, seed=seed).value
    mean_image = train.pixels().mean(0, keepdim=True).cpu()
    blind = float(losses.log_normal(test.pixels().cpu(), mean_image, 2 * math.log(SIGMA)).mean())
    prior, n = model.prior, len(test)
    ideal = marginal_kl_floor(posteriors_of(model, test, spread), prior, seed)
    return {
        "total": Measure(terms["reconstruction"] - terms["kl"], tighter, "the tighter bound of 20 draws an image"),
        "reconstruction": Measure(terms["reconstruction"], blind, "the mean training image for every image"),
        "kl": Measure(terms["kl"], 0.0, "a code that ignores the image"),
        "entropy": Measure(terms["entropy"], entropy_of(prior, seed), "the prior's own entropy"),
        "cross_entropy": Measure(terms["cross_entropy"], entropy_of(prior, seed), "the prior's own entropy"),
        "information": Measure(terms["information"], math.log(n), "log of the number of images"),
        "marginal_kl": Measure(terms["marginal_kl"], ideal, "the same posteriors, moved to samples of the prior"),
    }


def marginal_kl_floor(q: Posteriors, prior: Prior, seed: int = 0) -> float:
    """KL(q(z) ‖ p(z)) where the centres of the posteriors are samples of the prior: what finitely many images leave."""
    centres = prior.sample(len(q.mean), generator=torch.Generator().manual_seed(seed))
    ideal = Posteriors(centres, q.log_variance)
    z = ideal.draw(seed + 1)
    return float((ideal.log_aggregated(z) - prior.log_prob(z)).mean())


def entropy_of(prior: Prior, seed: int = 0, n: int = 100_000) -> float:
    """The prior's entropy in nats, by Monte Carlo."""
    return float(-prior.log_prob(prior.sample(n, generator=torch.Generator().manual_seed(seed))).mean())

"""A model that a reader trained in the laboratory, back from the page: the JSON that its *Save model* writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite, prod
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn.utils import vector_to_parameters

from aae_core.models import AdversarialAutoencoder
from aae_core.networks import check_code
from aae_core.packed import ExportError, PackedMLP
from aae_core.priors import Gaussian, GaussianMixture, Prior, SwissRoll

FORMAT, VERSION = "aae-laboratory", 1
NETWORKS = ("encoder", "decoder", "discriminator")
PRIORS: dict[str, Callable[[], Prior]] = {"gaussian": lambda: Gaussian(2), "petals": GaussianMixture, "roll": SwissRoll}


class Beads(Prior):
    """A string of beads along a drawn line, each a round normal distribution, and all alike.

    Args:
        points: the beads' centres, (K, 2).
        std: standard deviation of a bead, in either direction.

    Raises:
        ValueError: another shape, no bead, a number that is not finite, a width that is not positive.
    """

    dim = 2

    def __init__(self, points: Tensor, std: float) -> None:
        if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not points.isfinite().all():
            raise ValueError(f"points: expected finite centres of shape (K, 2), got {tuple(points.shape)}.")
        if not (isfinite(std) and std > 0):
            raise ValueError(f"std: expected a positive number, got {std}.")
        self.points, self.std = points.float(), float(std)

    def draw(self, n: int, labels: Tensor | None, generator: Generator | None, device: torch.device | str) -> Tensor:
        beads = torch.randint(len(self.points), (n,), generator=generator, device=device)
        return self.place(beads, *torch.randn(2, n, generator=generator, device=device))

    def place(self, beads: Tensor, right: Tensor, up: Tensor) -> Tensor:
        """Codes (N, 2) so many standard deviations `right` of and `up` from the centres of `beads`, each (N,)."""
        return self.points.to(beads.device)[beads] + self.std * torch.stack([right, up], 1)

    def log_prob(self, z: Tensor) -> Tensor:
        check_code(z, self.dim)
        beads = torch.distributions.Normal(self.points.to(z.device), self.std)
        return beads.log_prob(z[:, None]).sum(2).logsumexp(1) - torch.tensor(float(len(self.points))).log()


def load_page_model(path: str | PathLike[str]) -> AdversarialAutoencoder:
    """The model in a file that the laboratory's *Save model* wrote, in evaluation mode.

    It takes and gives rows (N, 2) of the unit square, or grey images (N, 1, 12, 12), as the page does. Where the page scaled
    your points into the square, the file's ``scaling`` says how: a column's ``low`` and ``high`` lie at 0.05 and 0.95.

    Raises:
        ExportError: the file is none that the laboratory writes, or its parts do not fit together.
    """
    path = Path(path)
    try:
        return _model(json.loads(path.read_text("utf-8")))
    except UnicodeDecodeError:
        raise ExportError(f"{path.name}: expected JSON of format {FORMAT!r}, got a file that is no text.") from None
    except json.JSONDecodeError as error:
        raise ExportError(f"{path.name}: expected JSON of format {FORMAT!r}: {error}.") from None
    except ExportError as error:
        raise ExportError(f"{path.name}: {error}") from None


def _model(card: Any) -> AdversarialAutoencoder:
    if not isinstance(card, dict) or card.get("format") != FORMAT or card.get("version") != VERSION:
        got = [card.get("format"), card.get("version")] if isinstance(card, dict) else type(card).__name__
        raise ExportError(f"expected a JSON object of format {FORMAT!r} and version {VERSION}, got {got}.")
    if missing := [name for name in (*NETWORKS, "prior", "image_shape", "weight", "penalty") if name not in card]:
        raise ExportError(f"the JSON object lacks {', '.join(missing)}.")
    shape, packed = card["image_shape"], {}
    if shape not in ([2], [1, 12, 12]):
        raise ExportError(f"image_shape: expected [2] or [1, 12, 12], got {shape}.")
    for name in ("weight", "penalty"):
        if not isinstance(card[name], int | float) or not 0 <= card[name] < float("inf"):
            raise ExportError(f"{name}: expected a number of at least 0, got {card[name]!r}.")
    for name in NETWORKS:
        try:
            packed[name] = PackedMLP.from_json(json.dumps(card[name]))
        except ExportError as error:
            raise ExportError(f"{name}: {error}") from None
    model = AdversarialAutoencoder(
        _prior(card["prior"]),
        hidden=packed["encoder"].sizes[1:-1],
        discriminator_hidden=packed["discriminator"].sizes[1:-1],
        adversarial_weight=card["weight"],
        gradient_penalty=card["penalty"],
        image_shape=shape,
    )
    ends = {"encoder": (prod(shape), 2, "identity"), "decoder": (2, prod(shape), "sigmoid")}
    for name in NETWORKS:
        n_in, n_out, last = ends.get(name, (2, 1, "identity"))
        expected = [n_in, *packed["encoder" if name != "discriminator" else name].sizes[1:-1], n_out]
        activations = ["relu"] * (len(expected) - 2) + [last]
        if packed[name].sizes != expected or packed[name].activations != activations:
            got = f"{packed[name].sizes} with {packed[name].activations}"
            raise ExportError(f"{name}: expected widths {expected} with {activations}, got {got}.")
        vector_to_parameters(torch.from_numpy(packed[name].numbers()), getattr(model, name).parameters())
    return model.eval()


def _prior(card: Any) -> Prior:
    match card:
        case {"name": str(name)} if name in PRIORS:
            return PRIORS[name]()
        case {"name": "drawn", "beads": beads, "std": std}:
            try:
                return Beads(torch.tensor(beads), std)
            except (TypeError, ValueError, RuntimeError) as error:
                raise ExportError(f"prior: {error}") from None
    raise ExportError(f"prior: expected one of {', '.join(PRIORS)}, or drawn with its beads and std, got {card!r:.60}.")

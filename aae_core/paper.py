"""What stands where in the paper: its sections, its pictures, and the numbers that the book's own are read beside.

All of it is of version 2 (arXiv 1511.05644v2, May 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

SECTIONS = {
    "1": "Introduction",
    "2": "Adversarial autoencoders",
    "2.1": "Relationship to variational autoencoders",
    "2.2": "Relationship to GANs and GMMNs",
    "2.3": "Incorporating label information in the adversarial regularization",
    "3": "Likelihood analysis",
    "4": "Supervised adversarial autoencoders",
    "5": "Semi-supervised adversarial autoencoders",
    "6": "Unsupervised clustering",
    "7": "Dimensionality reduction",
}
"""The sections by number."""

PICTURES = {1: "2", 2: "2.1", 3: "2.3", 4: "2.3", 5: "3", 6: "4", 7: "4", 8: "5", 9: "6", 10: "7", 11: "7"}
"""The section to which each numbered figure belongs."""


@dataclass(frozen=True)
class Figure:
    """One number of the paper that a recipe is to reach.

    Args:
        recipe: the recipe that is to reach it.
        measure: its name in the recipe's card.
        what: the number in words.
        paper: its value there; errors are shares, log-likelihoods nats.
        spread: the paper's ±, in the same unit; None where it gives none.
        percent: whether the table shows it in percent.
        section: where the paper reports it.
    """

    recipe: str
    measure: str
    what: str
    paper: float
    spread: float | None = None
    percent: bool = True
    section: str = ""


FIGURES = (
    Figure("semi-supervised-100", "test_error", "error, 100 labels", 0.0190, 0.0010, section="5"),
    Figure("semi-supervised-1000", "test_error", "error, 1,000 labels", 0.0160, 0.0008, section="5"),
    Figure("semi-supervised-all", "test_error", "error, all labels", 0.0085, 0.0002, section="5"),
    Figure("clustering-16", "clustering_error_paper", "clustering error, 16 clusters", 0.0955, 0.0205, section="6"),
    Figure("clustering-30", "clustering_error_paper", "clustering error, 30 clusters", 0.0410, 0.0113, section="6"),
    Figure("reduction-2d-100", "test_error", "2-D map, error, 100 labels", 0.0608, section="7"),
    Figure("reduction-2d-1000", "test_error", "2-D map, error, 1,000 labels", 0.0420, section="7"),
    Figure("reduction-10d-100", "test_error", "10-D code, error, 100 labels", 0.0390, section="7"),
    Figure(
        "likelihood",
        "parzen_mean",
        "Parzen log-likelihood, 10,000 samples",
        340.0,
        2.0,
        percent=False,
        section="3",
    ),
)
"""What is compared, in the order of the book's chapters."""

LABELS_ALONE = {"semi-supervised-100": 0.2580, "semi-supervised-1000": 0.0873, "semi-supervised-all": 0.0125}
"""The errors that section 5 gives for a network which learns from the labels alone."""

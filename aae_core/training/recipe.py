"""What a recipe is: everything that makes a trained model again, under a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from aae_core.construction import (
    AtMost,
    Constructed,
    changed,
    class_of,
    construct,
    construction_of,
    options_of,
    plain,
    suggestion,
)
from aae_core.convolutions import Convolutions
from aae_core.data import IMAGE_SHAPE, LEAST, N_CLASSES, DataError, Digits, Splits
from aae_core.priors import Gaussian, GaussianMixture, Prior, SwissRoll
from aae_core.training.config import TrainingConfig, seed_everything
from aae_core.training.history import History
from aae_core.training.loop import fit

N_TRAINING = 50_000
"""MNIST's training images, for which the recipes' lengths are made."""
MOST_WEIGHTS = 2**28
"""Numbers that a model of other settings may have: they, their slopes and what Adam keeps of them take four gigabytes."""
PRIORS: dict[str, Callable[[int], Prior]] = {
    "gaussian": Gaussian,
    "mixture": lambda dim: GaussianMixture(),
    "ring": lambda dim: GaussianMixture(8, shift=2.0, radial_std=0.2, tangential_std=0.2),
    "roll": lambda dim: SwissRoll(),
}
"""Priors by a short name, each made for a width of the code; all but the first are of two dimensions, if ``code_dim`` asks for no more."""


def _spelt(options: Mapping[str, object], how: Mapping[str, Any]) -> dict[str, object]:
    """Options of a model whose construction is `how`, with names of priors and networks put into objects."""
    spelt = dict(options)
    if isinstance(name := spelt.get("prior"), str):
        if name not in PRIORS:
            raise ValueError(f"prior: there is no '{name}'.{suggestion(name, PRIORS)}")
        spelt["prior"] = PRIORS[name](how["arguments"].get("prior", {}).get("arguments", {}).get("dim", 2))
    if spelt.get("hidden") == "conv":
        spelt["hidden"] = Convolutions()
    of_prior = "code_dim" in spelt and "code_dim" not in options_of(class_of(how))
    if of_prior and (prior := plain(spelt.get("prior")) or how["arguments"].get("prior")):
        if "dim" in options_of(class_of(prior)):
            spelt["prior.dim"] = spelt.pop("code_dim")
        elif spelt.pop("code_dim") != 2:
            kind = prior["class"].rpartition(".")[2]
            raise ValueError(
                f"code_dim: the prior, {kind}, has two dimensions; prior=gaussian and prior=ring have any number."
            )
    return spelt


@dataclass(frozen=True)
class Recipe:
    """A model, how it is trained, and what is measured of it.

    Args:
        name: as in ``aae train NAME``.
        chapter: the chapter of the book that explains it; 0 for the judge, which belongs to none.
        summary: one line.
        build: makes the untrained model for images of a shape (C, H, W) and a number of classes, from torch's global source
            of randomness.
        training: the configuration; its seed also seeds the first weights.
        measures: names in :data:`aae_core.metrics.MEASURES`.
        practice: where the choices come from, in a word or two each.
        finish: what is done to the trained model before it is kept.
        labelled: how many training images keep their label, or which share of them (0.2); None is all of them. Of data with
            other classes than MNIST's ten it is the nearest number that they can share evenly.
        told: whether the model is told of classes, so that it needs data with at least two.
        paired: whether the model learns from pairs of one style; which they are is known of `dataset` alone.
        without: the name of a class that is kept from the model, so that its images are unusual to it; of data that have
            no such class nothing is kept.
        dataset: the images that it is for, one of :data:`aae_core.data.DATASETS`.
        ships: whether its weights come with an installed package, and not with the repository alone. Where no page needs
            them they stay out, for the package is to stay small; the card and the recorded runs come in any case.
    """

    name: str
    chapter: int
    summary: str
    build: Callable[[Sequence[int], int], nn.Module]
    training: TrainingConfig
    measures: tuple[str, ...]
    practice: tuple[str, ...] = ()
    finish: Callable[[Any], None] | None = None
    labelled: int | float | None = None
    told: bool = False
    paired: bool = False
    without: str | None = None
    dataset: str = "mnist"
    ships: bool = True

    def make(self, seed: int, image_shape: Sequence[int] = IMAGE_SHAPE, n_classes: int = N_CLASSES) -> nn.Module:
        """The untrained model for images (C, H, W) of `n_classes` classes, with the first weights of `seed`."""
        with torch.random.fork_rng():
            seed_everything(seed)
            return self.build(image_shape, n_classes)

    def labels_kept(self, splits: Splits) -> int | None:
        """How many training images keep their label, equally many of each class; None is all of them."""
        if not self.labelled:
            return self.labelled if self.labelled is None else 0
        # of a smaller training set, as large a part of each class
        wanted = self.labelled * len(splits.train) if isinstance(self.labelled, float) else self.labelled
        return _shared_evenly(wanted, len(splits.classes))

    def check_data(self, splits: Splits) -> None:
        """Refuses data that this recipe cannot learn from.

        Raises:
            DataError: it is told of classes, and there are fewer than two, or too few labelled training images of one, or it needs
                those of all; or it learns from pairs, and these data are not those that have them.
        """
        if self.paired and splits.dataset != self.dataset:
            raise DataError(
                f"{self.name}: this recipe learns from pairs of images of one style, which are known of the data set "
                f"'{self.dataset}' alone. For other images take supervised, which needs none."
            )
        kept_back = splits.number_of(self.without)
        if kept_back is not None and not all(
            (part.labels == kept_back).any() and (part.labels != kept_back).any()
            for part in (splits.train, splits.validation, splits.test)
        ):
            raise DataError(
                f"{self.name}: '{self.without}' is kept from the model and then told from the rest; training, validation and test need "
                "items of both. Add some: one in six is held out for validation, one in six for the test."
            )
        if not self.told:
            return
        if kept_back is not None:
            raise DataError(
                f"{self.name}: this recipe is told of every class, so that none can be kept from it. Take one that needs no labels, "
                "such as novelty or aae-deterministic."
            )
        if (n := len(splits.classes)) < 2:
            found = f"one class, {splits.classes[0]}" if n else "none: these data have no labels"
            todo = {
                "table": "Name the column of the classes, --label COLUMN",
                "array": "Save labels of several classes beside the images, in one .npz",
            }.get(splits.dataset, "Put the images of each class into a sub-folder of its own")
            raise DataError(
                f"{self.name}: this recipe learns what tells classes apart; here there is {found}. {todo}, or take a recipe that "
                "needs no labels, such as aae-deterministic."
            )
        keep, labels = self.labels_kept(splits), splits.train.labels
        if keep is None and not self.training.labelled_batch and (labels < 0).any():
            what = f"{int((labels < 0).sum()):,} of {len(labels):,} for training have no class, and it is told that of each"
            raise DataError(f"{self.name}: {what}. Leave them out, or take a recipe for both: semi-supervised-all.")
        need = LEAST if keep is None else max(1, keep // n)
        for name, there in zip(splits.classes, labels[labels >= 0].bincount(minlength=n).tolist(), strict=True):
            if there < need:
                raise DataError(
                    f"{self.name}: this recipe takes at least {need} labelled items of each class; among those for training "
                    f"there are {there} of '{name}'. One in three is held out: add some, leave the class away, or take a recipe "
                    "that needs no labels, such as aae-deterministic."
                )

    def training_digits(self, splits: Splits, seed: int) -> Digits:
        """The training split as this recipe sees it: without a class or with some labels hidden, if it says so."""
        train, _ = splits.train.parted(splits.number_of(self.without))
        keep = self.labels_kept(splits)
        return train if keep is None else train.hide_labels(keep, seed)

    def with_training(self, **changes: Any) -> Recipe:
        """The same recipe with other training settings, e.g. ``epochs=2``; those that are None stay as they are."""
        return replace(self, training=replace(self.training, **{k: v for k, v in changes.items() if v is not None}))

    def with_settings(self, settings: Mapping[str, object]) -> Recipe:
        """The same recipe with other settings of the training and other options of the model.

        Args:
            settings: by name: fields of :class:`TrainingConfig`, arguments of the model's class, ``prior.dim`` for an argument of
                an argument. ``prior`` may be one of :data:`PRIORS`; ``code_dim`` is the prior's where the model has none;
                ``hidden`` may be "conv".

        Raises:
            ValueError: no such setting, or a value that it cannot have.
        """
        known = [each.name for each in fields(TrainingConfig)]
        training = {name: value for name, value in settings.items() if name in known}
        options = {name: value for name, value in settings.items() if name not in known}

        def build(image_shape: Sequence[int], n_classes: int) -> nn.Module:
            with torch.random.fork_rng():
                if not isinstance(as_it_is := self.build(image_shape, n_classes), Constructed):
                    raise ValueError(
                        f"{', '.join(options)}: {type(as_it_is).__name__} cannot be made with other options."
                    )
                how = construction_of(as_it_is)
            try:
                with AtMost(MOST_WEIGHTS, f"{', '.join(options)}: a model of more than {MOST_WEIGHTS:,} numbers."):
                    made: nn.Module = construct(changed(how, _spelt(options, how)))
            except TypeError as error:
                raise ValueError(
                    f"{', '.join(options)}: a value of another kind than the option takes ({error})."
                ) from error
            return made

        try:
            whole = replace(self, training=replace(self.training, **training))  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(
                f"{', '.join(training)}: a value of another kind than the setting takes ({error})."
            ) from error
        if not options:
            return whole
        try:
            build(IMAGE_SHAPE, N_CLASSES)  # what is wrong is said now
        except ValueError as error:
            near = suggestion(next(iter(options)), known) if "no such option" in str(error) else ""
            raise ValueError(f"{error}{near if 'Did you mean' in near else ''}") from error
        return replace(whole, build=build)

    def keeping_back(self, name: str | None, splits: Splits) -> Recipe:
        """The same recipe with a class of these data kept from the model. Where there is a class that it does not see, it is measured
        how well its scores tell that class from the others.

        Raises:
            DataError: there is no such class, or the model rebuilds nothing, so that it scores nothing.
        """
        if name is not None and splits.number_of(name) is None:
            there = suggestion(name, splits.classes) if splits.classes else " These data have no labels."
            raise DataError(f"without: there is no class '{name}'.{there}")
        if not splits.unseen(name) or self.told:
            return replace(self, without=name or self.without)
        if not hasattr(self.make(0, splits.image_shape, len(splits.classes)), "reconstruct"):
            if name is not None:
                raise DataError(
                    f"without: {self.name} rebuilds nothing, so that there is no error to tell '{name}' by."
                )
            return self
        more = ("novelty",) if "novelty" not in self.measures else ()
        return replace(self, without=name or self.without, measures=self.measures + more)

    def with_steps(self, steps: int, n_data: int) -> Recipe:
        """The same recipe with as many whole passes over `n_data` items as make at least `steps` steps."""
        each = max(1, n_data // self.training.batch_size)
        return self.with_training(epochs=-(-steps // each))

    @property
    def steps(self) -> int:
        """How many steps the recipe takes on MNIST's 50,000 training images."""
        return self.training.epochs * (N_TRAINING // self.training.batch_size)

    def train(
        self,
        splits: Splits,
        *,
        folder: Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        progress: bool = True,
    ) -> tuple[nn.Module, History]:
        """A model trained from scratch, and the history of its training. See :func:`aae_core.training.fit`.

        Raises:
            DataError: see :meth:`check_data`.
        """
        self.check_data(splits)
        model = self.make(self.training.seed, splits.image_shape, len(splits.classes))
        digits, config = self.training_digits(splits, self.training.seed), self.training
        if config.labelled_batch:
            config = replace(config, labelled_batch=_shared_evenly(config.labelled_batch, len(splits.classes)))
        history = fit(model, digits, config, folder=folder, resume=resume, overwrite=overwrite, progress=progress)
        if self.finish is not None:
            self.finish(model)
        return model, history


def _shared_evenly(n: float, n_classes: int) -> int:
    """The number nearest to `n` of which each of `n_classes` gets as many, at least one."""
    return max(1, round(n / n_classes)) * n_classes

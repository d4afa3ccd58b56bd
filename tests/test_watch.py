"""What goes wrong in a training is said at its step, or once, with the section of appendix A that explains it."""

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as functional

from aae_core import losses
from aae_core.data import Digits, embedded
from aae_core.models import AdversarialAutoencoder, SemiSupervisedAAE, SupervisedAAE
from aae_core.networks import Decoder
from aae_core.priors import Gaussian
from aae_core.recipes import RECIPES, recipe
from aae_core.step import descend
from aae_core.training import CHECKPOINT, Processes, TrainingConfig, TrainingError, fit, run, seed_everything, watch
from aae_core.training.checkpoint import read
from aae_core.training.verdicts import verdicts
from aae_core.training.watch import SECTIONS, Watch, of_probabilities, one_sided
from aae_core.zoo import card

ROOT = Path(__file__).parents[1]
CONFIG = TrainingConfig(epochs=4, batch_size=32, precision="float32", device="cpu")
LONG = replace(CONFIG, epochs=100, learning_rate=2e-3)
SHAPE = (1, 8, 8)
NO_WARNING = {"Where is the KL?", "Weights of a moment ago"}


def images(n: int = 192) -> Digits:
    labels = torch.arange(n) % 8
    pixels = torch.randint(0, 40, (n, *SHAPE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    pixels[torch.arange(n), 0, labels] += 200
    return Digits(pixels, labels)


def made(kind=AdversarialAutoencoder, **options):
    seed_everything(0)
    small = {"hidden": (24,), "discriminator_hidden": (24,), "adversarial_weight": 0.05, "image_shape": SHAPE}
    return kind(Gaussian(2), **small | options)


class Faulty(AdversarialAutoencoder):
    """The step of chapter 2, in which something happens at a step of one's choice."""

    at, what, count = 9, "", 0

    def step(self, batch, optimizers):
        self.count += 1
        now = self.count == self.at
        if now and self.what == "weight":
            with torch.no_grad():
                self.encoder.net[0].weight[0, 0] = float("inf")
        if now and self.what == "image":
            batch = batch._replace(images=batch.images * float("nan"))
        found = super().step(batch, optimizers)
        if now and self.what == "gradient":  # which no loss shows
            loss = (self.discriminator.net[0].weight - self.discriminator.net[0].weight.detach()).abs().sqrt().sum()
            descend(loss, optimizers["discriminator"])
        if now and self.what == "statistic":
            self.decoder.register_buffer("odd", torch.tensor(float("inf")))
        return found


@pytest.mark.parametrize(
    ("what", "named", "step"),
    [
        ("image", "the loss 'reconstruction'", 9),
        ("weight", "the loss 'reconstruction'", 9),
        ("gradient", "the gradient of 'discriminator'", 9),
        ("statistic", "the weight 'decoder.odd'", 10),
    ],
)
def test_what_is_not_finite_stops_the_run_at_its_step_and_keeps_the_last_good_epoch(tmp_path, what, named, step):
    model, seen = made(Faulty), []
    model.what = what
    with pytest.raises(TrainingError) as caught:
        fit(model, images(), CONFIG, folder=tmp_path, progress=False, callback=lambda step, _: seen.append(step))
    said = str(caught.value)
    assert f"step {step} of 24" in said and named in said and "discriminator 0.001" in said
    assert f"Kept: the checkpoint of epoch 1 in {tmp_path}" in said
    assert seen[-1] == step - 1
    tensors, about = read(tmp_path / CHECKPOINT)
    assert about["step"] == 6 and all(each.isfinite().all() for each in tensors.values())


@pytest.mark.parametrize(("what", "step"), [("image", 9), ("gradient", 9), ("statistic", 100)])
def test_a_device_that_must_be_waited_for_is_asked_often_enough_in_a_long_run(monkeypatch, what, step):
    monkeypatch.setitem(run.LOOKS, "cpu", run.RARE_LOOKS)
    model, seen = made(Faulty), []
    model.what = what
    with pytest.raises(TrainingError, match=f"step {step} of 60000"):
        fit(
            model,
            images(6400),
            replace(CONFIG, epochs=300),
            progress=False,
            callback=lambda step, _: seen.append(step),
        )
    assert seen[-1] == 99


def test_weights_whose_norm_is_beyond_all_numbers_are_finite():
    model = made()
    with torch.no_grad():
        model.encoder.net[0].weight[0, :2] = 3e38
    run.Run(model, images(), CONFIG, Processes(torch.device("cpu")), 6, None).check_weights()


def test_a_device_keeps_the_first_bad_step_until_it_is_asked():
    layer = torch.nn.Linear(2, 1)
    watch = Watch({"part": torch.optim.SGD(layer.parameters())})
    assert watch.first() is None
    for step, value in enumerate((1.0, float("nan"), float("inf"), 1.0), 1):
        watch.note(step, ["a", "b"], torch.tensor([1.0, value]))
    assert watch.first() == (2, ["the loss 'b'"])


def test_every_section_of_the_appendix_has_a_warning_or_a_reason_for_none():
    notebook = json.loads((ROOT / "notebooks" / "A-training-well.ipynb").read_text("utf-8"))
    first, *others = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    listed = re.findall(r"(?m)^\|.*\| \[(.*)\]\(#", first)
    sections = re.findall(r"(?m)^## (.*)$", "\n".join(others))
    assert {*SECTIONS.values()} | NO_WARNING == {*listed} <= {*sections} and not NO_WARNING & {*SECTIONS.values()}
    assert all(name in watch.__doc__ for name in NO_WARNING)


@pytest.mark.parametrize("name", RECIPES)
def test_no_recorded_run_of_the_zoo_would_have_been_warned_of(name):
    about = card(name)
    steps, found = about["history"]["steps"], about["history"]["losses"]
    for k in range(20, len(steps), 20):
        so_far = {loss: values[:k] for loss, values in found.items()}
        assert not list(one_sided(steps[:k], so_far, about["steps"]))


class Swapped(AdversarialAutoencoder):
    """Both adversaries are on one side: real and false are swapped for the discriminator alone."""

    def step(self, batch, optimizers):
        x = batch.images
        z = self.encode(x)
        prior = self.prior.sample(len(x))
        discrimination = losses.discriminator(self.discriminator(z.detach()), self.discriminator(prior))
        descend(discrimination, optimizers["discriminator"])
        reconstruction, fooling = losses.reconstruction(self.decoder(z), x), losses.generator(self.discriminator(z))
        descend(reconstruction + self.adversarial_weight * fooling, optimizers["autoencoder"])
        return {"reconstruction": reconstruction, "fooling": fooling, "discrimination": discrimination}


class Unclear(AdversarialAutoencoder):
    """Fooling sends its gradient into the discriminator as well."""

    def step(self, batch, optimizers):
        x = batch.images
        z = self.encode(x)
        discrimination = losses.discriminator(
            self.discriminator(self.prior.sample(len(x))), self.discriminator(z.detach())
        )
        reconstruction, fooling = losses.reconstruction(self.decoder(z), x), losses.generator(self.discriminator(z))
        descend(discrimination + losses.generator(self.discriminator(z.detach())), optimizers["discriminator"])
        descend(reconstruction + self.adversarial_weight * fooling, optimizers["autoencoder"])
        return {"reconstruction": reconstruction, "fooling": fooling, "discrimination": discrimination}


def far(model):
    """Codes that no pull of the adversary brings back."""
    model.adversarial_weight = 0.0
    with torch.no_grad():
        model.encoder.net[-1].bias += 40.0
    return model


def classes(gain: float, **options):
    """A model whose encoder no adversary moves; a gain gives all images to its first class."""
    seed_everything(0)
    small = {"hidden": (24,), "discriminator_hidden": (24,), "image_shape": SHAPE, "batch_norm": ()}
    model = SemiSupervisedAAE(2, 8, adversarial_weight=0.0, **small | options)
    with torch.no_grad():
        model.encoder.net[-1].weight[:8] = 0
        model.encoder.net[-1].bias[0] += gain
    return model


def made_of(kind, *arguments, **options):
    seed_everything(0)
    small = {"hidden": (24,), "discriminator_hidden": (24,), "image_shape": SHAPE}
    return kind(*arguments, **small | options)


class Deaf(Decoder):
    """Takes a label and does not look at it."""

    def forward(self, z, y=None):
        return super().forward(z, torch.zeros_like(y))


def deaf():
    model = made_of(SupervisedAAE, 4, n_classes=8)
    model.decoder = Deaf(4, (24,), SHAPE, n_classes=8)
    return model


def slow_statistics():
    """Running averages that hardly move: other libraries call by the same name the share that they keep, not what they take."""
    model = made_of(SupervisedAAE, 4, n_classes=8, batch_norm=(0,))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = 1e-4
    return model


class Twice(SemiSupervisedAAE):
    """Cross-entropy of what has been through a softmax."""

    def step(self, batch, optimizers):
        loss = torch.nn.functional.cross_entropy(self.infer(batch.images)[0].softmax(1), batch.labels)
        descend(loss, optimizers["autoencoder"])
        return {"classification": loss}


PROVOKED = {
    "both adversaries win": ("Both adversaries win", lambda: made(Swapped)),
    "a discriminator does worse than guess": ("A discriminator guesses", lambda: made(Unclear)),
    "a discriminator has won": ("A discriminator has won", lambda: far(made())),
    "a tie, and codes elsewhere than the prior": ("The discriminator calls it a tie", lambda: far(made())),
    "right in training and wrong afterwards": ("The trained model's squared error is", slow_statistics),
    "a loss of probabilities in place of logits": ("The loss 'classification'", lambda: made_of(Twice, 2, 8)),
    "an error near the mean image's, after few steps": ("The trained model rebuilds", lambda: made()),
    "another label, the same picture": ("The decoder draws the same", deaf),
    "the class discriminator has won": ("A discriminator has won", lambda: classes(0.0, class_noise=0.0)),
    "classes that are given to no image": ("Of 8 classes 7 are given to none", lambda: classes(50.0)),
    "an error near the mean image's, after many": (
        "The trained model rebuilds",
        lambda: made(adversarial_weight=100.0),
    ),
    "samples that are all alike": ("Samples have", lambda: made(posterior="gaussian", adversarial_weight=100.0)),
}
FAULTS = {  # what else the faults that are no model's have
    "a tie, and codes elsewhere than the prior": {"discriminator": 1e-9},  # which does not learn to see
    "the class discriminator has won": {"autoencoder": 1e-9},  # by an encoder that stays where it is
}


def test_every_warning_is_provoked():
    assert PROVOKED.keys() == SECTIONS.keys()


@pytest.mark.parametrize("fault", PROVOKED)
def test_a_fault_is_warned_of_once_with_its_section(fault):
    words, make = PROVOKED[fault]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = make()
        rates = {"autoencoder": 2e-3, "discriminator": 2e-3} | FAULTS.get(fault, {})
        if rates["discriminator"] < 1e-3:
            torch.nn.init.zeros_(model.discriminator.net[-1].weight)
        epochs = {"Corners that nobody reaches": 100, "The scale trap": 100, "An epoch is not a unit": 1}.get(
            SECTIONS[fault], 60
        )
        history = fit(model, images(640), replace(LONG, epochs=epochs, learning_rate=rates), progress=False)
    said = [str(each.message) for each in caught]
    assert said == history.warnings and all(each.filename == __file__ for each in caught)
    named = [each for each in said if each.startswith(words) and each.endswith(f"appendix A, '{SECTIONS[fault]}'.")]
    assert len(named) == 1, said


@pytest.mark.parametrize(
    ("loss", "warned"),
    [
        (lambda a: functional.cross_entropy(a.softmax(1), a.argmax(1)), True),
        (lambda a: functional.cross_entropy(a, a.argmax(1)), False),
        (lambda a: -(a.softmax(1)[:, 0] + 1e-8).log().mean(), True),
        (lambda a: -a.log_softmax(1)[:, 0].mean(), False),
        (lambda a: functional.cross_entropy(a.log_softmax(1), a.argmax(1)), False),  # which changes nothing
        (lambda a: functional.nll_loss(a.softmax(1).log(), a.argmax(1)), True),
        (lambda a: -torch.log(1 - torch.sigmoid(a[:, 0])).mean(), True),
        (lambda a: losses.generator(torch.sigmoid(a[:, 0])), True),
        (lambda a: losses.discriminator(a[:, 0], a[:, 1]), False),
        (lambda a: functional.binary_cross_entropy_with_logits(a.sigmoid(), torch.ones_like(a)), True),
        (lambda a: functional.binary_cross_entropy(a.sigmoid(), torch.ones_like(a)), False),
        (lambda a: a.softmax(1).mean(0).log().mean(), False),  # of a mean: a model's share of each class
        (lambda a: losses.reconstruction(a.sigmoid(), torch.ones_like(a)), False),
    ],
)
def test_a_loss_of_probabilities_is_known_by_its_graph(loss, warned):
    seed_everything(0)
    logits = torch.randn(6, 4, requires_grad=True)
    for dtype in (torch.float32, torch.bfloat16):
        scaled = logits.to(dtype) * 2
        found = loss(scaled)
        found.backward()  # as after a step
        assert len([*of_probabilities({"it": found, "none": found.detach()})]) == warned


class Plain(AdversarialAutoencoder):
    """A step without `descend`, which compares what the discriminator says after its update with what its weights say."""

    alike = ()

    def step(self, batch, optimizers):
        z = self.encode(batch.images).detach()
        optimizers["discriminator"].zero_grad()
        loss = losses.discriminator(self.discriminator(self.prior.sample(len(z))), self.discriminator(z))
        loss.backward()
        optimizers["discriminator"].step()
        second_phase = self.discriminator(z)
        torch.clear_autocast_cache()
        self.alike += (torch.equal(second_phase, self.discriminator(z)),)
        return {"discrimination": loss}


def test_no_step_sees_weights_of_a_moment_ago():
    model = made(Plain)
    history = fit(model, images(), replace(CONFIG, epochs=1, precision="bfloat16", learning_rate=0.01), progress=False)
    assert history.precision == "bfloat16" and model.alike == (True,) * 6


class Sorting(torch.nn.Module):
    """Gives every image to one of the first classes of ten."""

    def __init__(self, used):
        super().__init__()
        self.used = used

    def probabilities(self, x):
        return torch.eye(10)[torch.arange(len(x)) % self.used]


def test_with_labels_each_class_is_wanted_and_without_them_some_clusters_may_stay_empty():
    few = images(640)
    for used, losses_of_run, warned in (
        (9, ["classification"], True),
        (10, ["classification"], False),
        (4, [], False),
        (3, [], True),
    ):
        found = verdicts(Sorting(used), few, dict.fromkeys(losses_of_run, [0.1]), CONFIG, 2000)
        assert len(found) == warned, (used, found)


def test_a_healthy_run_is_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not fit(made(gradient_penalty=0.1), images(640), LONG, progress=False).warnings


SOUND = ("aae-gaussian", "vae-gaussian")
DEARER = ("likelihood", "supervised", "semi-supervised-100", "clustering-16")


@pytest.mark.trains
@pytest.mark.parametrize("name", [*SOUND, *(pytest.param(name, marks=pytest.mark.slow) for name in DEARER)])
def test_a_short_sound_run_of_a_recipe_is_not_warned_of(name):
    """A thousand steps of smaller networks, at the recipe's own rates, weights and normalisation."""
    splits = embedded()
    sound = recipe(name).with_settings({"hidden": (64, 64), "batch_size": 64})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, history = sound.with_steps(1000, len(splits.train)).train(splits, progress=False)
    assert history.steps[-1] >= 1000 and not history.warnings

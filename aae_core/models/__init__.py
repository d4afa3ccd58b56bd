"""The models, one file per idea, named as the chapters are."""

from aae_core.models.adversarial import POSTERIORS, AdversarialAutoencoder
from aae_core.models.gan import GAN
from aae_core.models.judge import Judge
from aae_core.models.labelled import LabelledAAE
from aae_core.models.noisy_code import NoisyCodeAAE
from aae_core.models.reduction import ReductionAAE
from aae_core.models.semi_supervised import SemiSupervisedAAE
from aae_core.models.supervised import SupervisedAAE
from aae_core.models.vae import VAE

__all__ = [
    "POSTERIORS",
    "GAN",
    "AdversarialAutoencoder",
    "Judge",
    "LabelledAAE",
    "NoisyCodeAAE",
    "ReductionAAE",
    "SemiSupervisedAAE",
    "SupervisedAAE",
    "VAE",
]

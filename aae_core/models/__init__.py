"""The models, one file per idea, named as the chapters are."""

from aae_core.models.adversarial import POSTERIORS, AdversarialAutoencoder
from aae_core.models.judge import Judge
from aae_core.models.supervised import SupervisedAAE
from aae_core.models.vae import VAE

__all__ = ["POSTERIORS", "AdversarialAutoencoder", "Judge", "SupervisedAAE", "VAE"]

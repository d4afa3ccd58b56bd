"""The models, one file a chapter, each with its recipes: what is learnt in a step, and how a model of the zoo is trained."""

from aae_core.models.adversarial import POSTERIORS, AdversarialAutoencoder
from aae_core.models.clustering import clustering_model
from aae_core.models.gan import GAN
from aae_core.models.labels import LabelledAAE
from aae_core.models.letters import letters_model
from aae_core.models.likelihood import NoisyCodeAAE
from aae_core.models.novelty import novelty_model
from aae_core.models.reduction import ReductionAAE, reduction_model
from aae_core.models.semi_supervised import SemiSupervisedAAE, labels_alone_model, reading_model
from aae_core.models.style import SupervisedAAE, style_model, usual_model
from aae_core.models.vae import VAE, small_aae, small_vae

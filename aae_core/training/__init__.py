"""Training: :func:`fit` is the one loop of every model; what a step sees and how it descends is :mod:`aae_core.step`."""

from aae_core.step import Batch, Model, Optimizers, descend
from aae_core.training.checkpoint import CARD, CHECKPOINT, WEIGHTS, check_folder, take, write_whole
from aae_core.training.config import TrainingConfig, TrainingError, check_seed, seed_everything
from aae_core.training.device import Device, Precision, choose_device, choose_precision, has_fast_bfloat16
from aae_core.training.history import History
from aae_core.training.identity import describe_model
from aae_core.training.loop import fit
from aae_core.training.processes import LostProcess, Processes, how_many, is_first
from aae_core.training.progress import progress_bar, stage
from aae_core.training.recipe import Recipe

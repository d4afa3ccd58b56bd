"""Images in memory, each with a label: MNIST, other sets, or your own, in splits that go by content.

The order of sources, the cache and what is refused: :func:`load_digits` and :func:`load_dataset`.
"""

from aae_core.data.downloads import cache_folder
from aae_core.data.folder import read_images
from aae_core.data.images import (
    DIGITS,
    HELD_OUT_BELOW,
    IMAGE_SHAPE,
    N_CLASSES,
    UNLABELLED,
    DataError,
    Digits,
    Splits,
    check_batch_size,
    checksums,
    is_build,
    say,
)
from aae_core.data.mnist import FILES, embedded, load_digits, read_idx
from aae_core.data.others import DATASETS, SOURCES, load_dataset

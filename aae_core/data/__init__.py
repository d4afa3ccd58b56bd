"""Images in memory, each with a label: MNIST, other sets, or your own, in splits that go by content.

The order of sources, the cache and what is refused: :func:`load_digits` and :func:`load_dataset`.
"""

from aae_core.data.arrays import read_array
from aae_core.data.folder import check_image_shape, read_folder
from aae_core.data.images import (
    DIGITS,
    IMAGE_SHAPE,
    LEAST,
    N_CLASSES,
    UNLABELLED,
    DataError,
    Digits,
    check_batch_size,
    is_build,
    say,
)
from aae_core.data.items import Items, split_items
from aae_core.data.letters import LETTERS, Face, all_faces, faces_of, letters_of, load_letters
from aae_core.data.mnist import FILES, embedded, load_digits, read_idx
from aae_core.data.others import DATASETS, OWN, SOURCES, kind_of, load_dataset, load_items
from aae_core.data.splits import HELD_OUT_BELOW, Splits, checksums
from aae_core.data.tables import columns_of, read_table, values_of
from aae_core.files import cache_folder

"""Waiting for what comes in its own time."""

import time
from collections.abc import Callable


def eventually(look: Callable[[], object], say: Callable[[], object] = lambda: "it did not come", seconds: float = 600):
    """What `look()` gives, once it is true. The limit ends a test that would wait forever; no machine is held to it.

    Raises:
        TimeoutError: it does not come; with what `say()` gives.
    """
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(say())
        time.sleep(0.05)
    return found

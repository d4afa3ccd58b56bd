"""Jupyter's settings for work on the book: ``jupyter lab --config=tools/jupyter_server_config.py notebooks``.

A notebook is saved without the state of its widgets, even where "Save Widget State Automatically" is on: GitHub and Colab
refuse to show a notebook that has it, and the explorers bring theirs along in their cells.
"""

from __future__ import annotations

from typing import Any


def drop_widget_state(model: dict[str, Any], **_: Any) -> None:
    """Takes the widgets' state out of what is about to be saved, if that is a notebook."""
    if model["type"] == "notebook":
        model["content"]["metadata"].pop("widgets", None)


get_config().ContentsManager.pre_save_hook = drop_widget_state  # noqa: F821 (Jupyter provides it)

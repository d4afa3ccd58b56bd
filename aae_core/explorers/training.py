"""The training explorer (chapter 2): a recorded run, played, paused and scrubbed through."""

from __future__ import annotations

from typing import Any

import traitlets as t

from aae_core.explorers.base import Explorer
from aae_core.explorers.recording import TrainingRecorder
from aae_core.explorers.still import drawing


class TrainingExplorer(Explorer):
    """Codes on their way to the prior, over the discriminator's field, step by step.

    Args:
        recorder: what watched the run.
        frame: the frame to begin with; the last one by default.
        label: the digit whose codes stand out; None shows all alike.
        options: other traits, such as `name` or `title`.

    The traits `frame` and `label` follow the reader and may be set.

    Raises:
        ValueError: nothing was recorded.
    """

    entry = "training"
    frame = t.Int(0, help="the frame shown").tag(sync=True)
    label = t.Int(None, allow_none=True, help="the digit that stands out, or None").tag(sync=True)
    start = t.Int(0, help="the frame that Reset comes back to").tag(sync=True)
    steps = t.List(t.Int(), help="the step of each frame").tag(sync=True)
    readings = t.List(t.Dict(), help="error, discrimination and distance of each frame").tag(sync=True)
    about = t.Dict(help="shapes and scales of the texts").tag(sync=True)
    codes = t.Unicode().tag(sync=True)
    field = t.Unicode().tag(sync=True)
    prior = t.Unicode().tag(sync=True)
    images = t.Unicode().tag(sync=True)

    def __init__(
        self, recorder: TrainingRecorder, frame: int | None = None, label: int | None = None, **options: Any
    ) -> None:
        traits = recorder.pack()
        frame = len(traits["steps"]) - 1 if frame is None else frame
        options = {"name": "training", "title": "Training explorer"} | options
        super().__init__(frame=frame, start=frame, label=label, **traits, **options)
        # Wide: the pictures stand beside the plane. On a phone they stand below it, two rows of five.
        self.room = [0.4, 252, 1.8, 266]
        self.poster = poster(recorder, frame)
        self.poster_alt = (
            f"Codes of {len(recorder.digits):,} held-out digits in the plane, coloured by digit, after "
            f"{recorder.steps[frame]:,} steps of training, over two contours of the prior"
        )

    @t.validate("frame", "start")
    def _check_frame(self, proposal: dict[str, Any]) -> int:
        if proposal["value"] is None:
            raise t.TraitError("frame: expected a number, got None.")
        return self.check_index(proposal, len(self.steps))

    @t.validate("label")
    def _check_label(self, proposal: dict[str, Any]) -> int | None:
        return self.check_index(proposal, 10)


def poster(recorder: TrainingRecorder, frame: int) -> str:
    """The still picture: codes and contours on transparent paper, a PNG as base64 text."""
    from aae_core.plotting import draw_codes

    density, levels = recorder.log_density()
    side = (-recorder.limit, recorder.limit)

    def paint(ax: Any) -> None:
        ax.contour(density, levels, extent=side * 2, colors="#717d8a", linewidths=1, linestyles="solid")
        draw_codes(ax, recorder.codes[frame], recorder.digits.labels, size=7, limit=recorder.limit)

    return drawing(paint)

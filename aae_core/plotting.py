"""One figure style for the whole book. Helpers take an ``ax``, or the figure, and return it.

Theme colours (ink, rules, paper) are drawn in those of the light theme; :mod:`aae_core.svg` turns them into CSS
variables, so that one drawing follows the reader's theme. Digits are drawn as ink on transparent paper.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from aae_core.palette import DIGITS, LIGHT

INK, MUTED, RULE, ACCENT, CONTRAST = (LIGHT[name] for name in ("ink", "muted", "rule", "accent", "contrast"))

_serial = itertools.count()


def style() -> dict[str, object]:
    """matplotlib's settings for every figure of the book."""
    return {
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "figure.figsize": (7.2, 3.4),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 8,
        "axes.labelsize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": RULE,
        "grid.linewidth": 0.7,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.linewidth": 1.8,
        "axes.prop_cycle": cycler(color=[ACCENT, CONTRAST, DIGITS[4], MUTED]),
        "svg.fonttype": "none",
        "svg.hashsalt": "aae_core",
    }


def use_style() -> None:
    """Makes :func:`style` the default of this session."""
    matplotlib.rcParams.update(style())  # type: ignore[arg-type]  # its keys are literals since 3.11


def draw_image(ax: Axes, pixels: np.ndarray) -> Axes:
    """One picture (H, W) in [0, 1], as ink: 1 is full ink, 0 is bare paper."""
    ink = np.zeros((*pixels.shape, 4), np.float32)
    ink[..., :3] = matplotlib.colors.to_rgb(INK)
    ink[..., 3] = np.clip(pixels, 0, 1)
    # The page inverts images of this name in the dark theme.
    ax.imshow(ink, interpolation="nearest", gid=f"ink{next(_serial)}")
    ax.set_axis_off()
    return ax


def draw_digits(
    ax: Axes,
    images: Tensor,
    columns: int = 10,
    *,
    gap: int = 3,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
) -> Axes:
    """Images (N, 1, H, W) in [0, 1] in rows of `columns`, with labels beside and above them."""
    pixels = images.detach().float().cpu().numpy()[:, 0]
    rows = -(-len(pixels) // columns)
    height, width = pixels.shape[1] + gap, pixels.shape[2] + gap
    sheet = np.zeros((rows * height - gap, columns * width - gap), np.float32)
    for k, picture in enumerate(pixels):
        top, left = (k // columns) * height, (k % columns) * width
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    draw_image(ax, sheet)
    for k, text in enumerate(row_labels or ()):
        ax.text(-gap - 2, (k + 0.5) * height - gap / 2, text, ha="right", va="center", fontsize=9, color=MUTED)
    for k, text in enumerate(column_labels or ()):
        ax.text((k + 0.5) * width - gap / 2, -gap - 1, text, ha="center", va="bottom", fontsize=9, color=MUTED)
    return ax


def draw_codes(ax: Axes, z: Tensor, y: Tensor, *, size: float = 4, limit: float | None = None) -> Axes:
    """Codes (N, 2) as points, coloured by their digit (N,)."""
    points, digits = z.detach().cpu().numpy(), y.cpu().numpy()
    # Drawn in random order, so that no digit lies on top; as a bitmap, for thousands of vector points are heavy.
    order = np.random.default_rng(0).permutation(len(points))
    colours = np.array(DIGITS)[digits[order]]
    ax.scatter(points[order, 0], points[order, 1], s=size, c=colours, linewidths=0, alpha=0.75, rasterized=True)
    ax.set_aspect("equal")
    ax.grid(False)
    if limit is not None:
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    return ax


def draw_means(ax: Axes, z: Tensor, y: Tensor) -> Axes:
    """The mean code of each digit, as the digit itself in a disc of its colour; for codes (N, 2), labels (N,)."""
    for k, colour in enumerate(DIGITS):
        mean = tuple(z[y == k].float().mean(0).tolist())
        ax.plot(*mean, "o", ms=13, mec="white", mew=1, color=colour)
        ax.annotate(str(k), mean, ha="center", va="center", fontsize=8, fontweight="bold", color="white")
    return ax


def draw_digit_key(fig: Figure) -> Figure:
    """A row that tells which colour is which digit, above all axes of `fig`; the layout keeps room for it.

    A key of one axes would be wider than it where several stand side by side, and squeeze them.
    """
    handles = [
        matplotlib.lines.Line2D([], [], marker="o", ls="", ms=5, color=c, label=str(k)) for k, c in enumerate(DIGITS)
    ]
    fig.legend(handles=handles, ncols=10, loc="outside upper left", handletextpad=0, columnspacing=0.9)
    return fig


def draw_diagram(ax: Axes, boxes: Mapping[str, tuple[float, float, str]], arrows: Sequence[str]) -> Axes:
    """A model as boxes and arrows.

    Args:
        boxes: for each key the centre (x, y), in units of about one box, and the text; its first line is small.
        arrows: "from to", by key.
    """
    width, height = 1.24, 0.72
    for x, y, text in boxes.values():
        shape = matplotlib.patches.FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08"
        )
        shape.set(facecolor="none", edgecolor=MUTED, linewidth=0.9)
        ax.add_patch(shape)
        ax.text(x, y, text, ha="center", va="center", fontsize=9, color=INK, linespacing=1.35)
    for pair in arrows:
        (x0, y0, _), (x1, y1, _) = (boxes[key] for key in pair.split())
        # From edge to edge: sideways where the boxes stand side by side, else from top or bottom.
        if abs(x1 - x0) > width and abs(y1 - y0) < height:
            start, end = (x0 + np.sign(x1 - x0) * width / 2, y0), (x1 - np.sign(x1 - x0) * width / 2, y1)
        elif abs(x1 - x0) < width:
            start, end = (x0, y0 + np.sign(y1 - y0) * height / 2), (x1, y1 - np.sign(y1 - y0) * height / 2)
        else:
            start, end = (x0, y0 + np.sign(y1 - y0) * height / 2), (x1 - np.sign(x1 - x0) * width / 2, y1)
        arrow = {"arrowstyle": "-|>", "color": ACCENT, "lw": 1.2, "shrinkA": 2, "shrinkB": 2}
        ax.annotate("", end, start, arrowprops=arrow)
    xs, ys = [b[0] for b in boxes.values()], [b[1] for b in boxes.values()]
    ax.set(xlim=(min(xs) - 0.7, max(xs) + 0.7), ylim=(min(ys) - 0.5, max(ys) + 0.5), aspect="equal")
    ax.set_axis_off()
    return ax


def draw_losses(ax: Axes, steps: Sequence[int], losses: Mapping[str, Sequence[float]]) -> Axes:
    """Each loss against the step, named at the end of its curve."""
    for name, values in losses.items():
        (line,) = ax.plot(steps, values, lw=1.4)
        ax.annotate(
            name, (steps[-1], values[-1]), (5, 0), textcoords="offset points", va="center", fontsize=9,
            color=line.get_color(), annotation_clip=False,
        )  # fmt: skip
    ax.set_xlabel("step")
    return ax


def draw_bars(ax: Axes, values: Mapping[str, float], reference: float | None = None, label: str = "") -> Axes:
    """Named values as horizontal bars, each with its number; `reference` is a vertical line with its label."""
    names = list(values)
    bars = ax.barh(names, list(values.values()), color=ACCENT, height=0.6)
    ax.bar_label(bars, fmt="%.3g", padding=4, fontsize=9, color=INK)
    ax.invert_yaxis()
    ax.grid(axis="x")
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0, colors=INK)
    if reference is not None:
        ax.axvline(reference, color=CONTRAST, lw=1.2, ls=(0, (4, 3)))
        ax.annotate(
            label, (reference, 1), (3, 2), xycoords=("data", "axes fraction"), textcoords="offset points",
            color=CONTRAST, fontsize=9, va="bottom",
        )  # fmt: skip
    return ax

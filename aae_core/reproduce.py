"""The paper's figures beside ours, from recorded runs (chapter 9): ``aae reproduce``.

``python -m aae_core.reproduce README.md`` renews the short table that a page of text shows.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aae_core.cards import AS_IT_IS
from aae_core.paper import FIGURES, Figure
from aae_core.records import by_seed, read
from aae_core.studies import Run

METHOD = {"clustering-16": "normalised", "clustering-30": "normalised"}
"""The variant with the paper's method alone, where it is not "plain": its clusters have batch norm on the encoder's heads."""

RULES = (
    "A map is read by the class that the encoder infers; by the nearest of its cluster heads it errs more (chapter 8). "
    "Of sixteen clusters about eleven are in use, of thirty about thirteen (chapter 7)."
)
"""What the errors of maps and clusters are counted by, and what belongs beside them."""
ABOUT = (
    "Ours: this book's recipes, on the test digits. Its method here: the same networks with the paper's losses alone, without "
    "what the recipes add; * on the validation digits. ± in the paper's column is its own, in the others one standard deviation "
    "over seeds; the intervals are of the mean over seeds, by Student's t at 95%. Steps and minutes are those of one run of "
    f"ours, not always that of the zoo's weights. Looks: how many configurations of the recipe the test digits have judged. {RULES}"
)
SHORT = (
    "Its method here: this book's networks with the paper's losses alone (* on validation digits). In brackets: the 95% "
    f"interval of the mean over seeds, by Student's t. The paper's ± is its own. {RULES}"
)


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure of the paper; its method in our hands; the recipe. Means, spreads, and intervals over seeds.

    A spread is one standard deviation over seeds, an interval Student's t-interval of the mean at 95%; both are None where
    there are fewer than two seeds.
    """

    what: str
    recipe: str
    percent: bool
    paper: float
    paper_spread: float | None
    plain: float | None
    plain_spread: float | None
    plain_interval: tuple[float, float] | None
    plain_seeds: int
    plain_split: str | None
    ours: float | None
    ours_spread: float | None
    ours_interval: tuple[float, float] | None
    seeds: int
    steps: int | None
    minutes: float | None
    looks: int


def interval(values: Sequence[float], further: bool = False) -> tuple[float, float] | None:
    """Student's t-interval at 95%; None of fewer than two values.

    Args:
        further: the prediction interval, in which one *further* value is to be expected, in place of the interval of the mean.
            It is wider: the further run has a spread of its own, beside what is not known of the mean.
    """
    from scipy import stats

    n = len(values)
    if n < 2:
        return None
    half = stats.t.ppf(0.975, n - 1) * statistics.stdev(values) * (1 / n + further) ** 0.5
    return float(statistics.fmean(values) - half), float(statistics.fmean(values) + half)


def row(figure: Figure, folder: Path | None = None) -> Row:
    """A figure beside the runs that are to reach it, recorded or under `folder`."""
    ours = list(by_seed(figure.recipe, AS_IT_IS, "test", folder).values())
    method = METHOD.get(figure.recipe, "plain")
    split = "test" if by_seed(figure.recipe, method, "test", folder) else "validation"
    plain = list(by_seed(figure.recipe, method, split, folder).values())

    def of(cards: list[dict[str, Any]]) -> tuple[float | None, float | None, tuple[float, float] | None, int]:
        found = [card["measures"][figure.measure]["value"] for card in cards]
        spread = statistics.stdev(found) if len(found) > 1 else None
        return statistics.fmean(found) if found else None, spread, interval(found), len(found)

    seconds = [card["seconds"] for card in ours if card["seconds"] is not None]
    return Row(
        *(figure.what, figure.recipe, figure.percent, figure.paper, figure.spread),
        *of(plain),
        split if plain else None,
        *of(ours),
        steps=ours[0]["steps"] if ours else None,
        minutes=statistics.fmean(seconds) / 60 if seconds else None,
        looks=sum(look["variant"] == AS_IT_IS for look in read(figure.recipe)["looks"]),
    )


def rows(recipes: Iterable[str] = (), folder: Path | None = None) -> list[Row]:
    """The table: all figures, or those of `recipes`, from the shipped runs and those under `folder`.

    Raises:
        ValueError: a recipe that no figure of the paper belongs to.
    """
    chosen, known = set(recipes), {figure.recipe for figure in FIGURES}
    if unknown := sorted(chosen - known):
        raise ValueError(
            f"recipe: the paper has no figure for '{unknown[0]}'. Choose from: {', '.join(sorted(known))}."
        )
    return [row(figure, folder) for figure in FIGURES if not chosen or figure.recipe in chosen]


@dataclass(frozen=True)
class Verdict:
    """A figure of the table trained again: what came out, and whether that is within what the recorded runs foretell."""

    what: str
    recipe: str
    percent: bool
    recorded: float | None
    seeds: int
    expected: tuple[float, float] | None
    seed: int
    again: float
    within: bool | None


def to_verify(recipes: Iterable[str], seeds: int = 0) -> list[Run]:
    """The runs that verify figures: seeds 0 … `seeds` − 1 of each recipe, or one further seed than the recorded ones."""
    further = {name: 1 + max(by_seed(name, AS_IT_IS, "test"), default=-1) for name in recipes}
    return [Run(name, AS_IT_IS, seed, "test") for name in further for seed in (range(seeds) or [further[name]])]


def verdicts(runs: Iterable[Run], folder: Path) -> list[Verdict]:
    """Whether runs trained again, under `folder`, fall within the interval of the recorded ones.

    It is the *prediction* interval for one further run, at 95%. The interval of the mean would be wrong: it narrows as seeds
    are added, and single runs, which differ from one another as before, would then mostly lie outside of it. One honest run of
    twenty falls outside of the prediction interval too. None of fewer than two recorded runs.
    """
    found = []
    for run in runs:
        if (card := by_seed(run.recipe, run.variant, run.split, folder).get(run.seed)) is None:
            raise ValueError(f"{run.folder(folder)}: its card is of another run. Move it away, and ask again.")
        for figure in (each for each in FIGURES if each.recipe == run.recipe):
            known = [
                each["measures"][figure.measure]["value"] for each in by_seed(run.recipe, AS_IT_IS, "test").values()
            ]
            expected, again = interval(known, further=True), card["measures"][figure.measure]["value"]
            within = None if expected is None else expected[0] <= again <= expected[1]
            mean = statistics.fmean(known) if known else None
            named = (figure.what, figure.recipe, figure.percent)
            found.append(Verdict(*named, mean, len(known), expected, run.seed, again, within))
    return found


def number(values: Iterable[float | None] | None, percent: bool, joined: str = " ± ") -> str:
    """Numbers as the tables show them, in percent if they are shares; a dash where there is none."""
    scale, digits = (100, 2) if percent else (1, 1)
    parts = [f"{scale * value:.{digits}f}" for value in values or () if value is not None]
    return joined.join(parts) + (" %" if percent else "") if parts else "–"


def cells(line: Row) -> dict[str, str]:
    """A row as the text of its cells; a dash where there is no run. :data:`ABOUT` says what they are."""
    star = " *" if line.plain_split == "validation" else ""
    return {
        "figure": line.what,
        "paper": number((line.paper, line.paper_spread), line.percent),
        "its method here": number((line.plain, line.plain_spread), line.percent) + star,
        "its interval": number(line.plain_interval, line.percent, " to "),
        "its seeds": str(line.plain_seeds or "–"),
        "ours": number((line.ours, line.ours_spread), line.percent),
        "our interval": number(line.ours_interval, line.percent, " to "),
        "seeds": str(line.seeds or "–"),
        "steps": f"{line.steps:,}" if line.steps else "–",
        "minutes": f"{line.minutes:.0f}" if line.minutes is not None else "–",
        "looks": str(line.looks or "–"),
    }


def short_cells(line: Row) -> dict[str, str]:
    """The row in four cells, for a page of text. :data:`SHORT` says what they are."""

    def mean(value: float | None, ends: tuple[float, float] | None) -> str:
        return number((value,), line.percent) + (f" ({number(ends, line.percent, ' to ')})" if ends else "")

    return {
        "figure": line.what,
        "paper": number((line.paper, line.paper_spread), line.percent),
        "its method here": mean(line.plain, line.plain_interval) + (" *" if line.plain_split == "validation" else ""),
        "this book": mean(line.ours, line.ours_interval),
    }


def verdict_cells(line: Verdict) -> dict[str, str]:
    """A verdict as the text of its cells."""
    return {
        "figure": line.what,
        "recorded": number((line.recorded,), line.percent),
        "seeds": str(line.seeds),
        "a further run: 95% within": number(line.expected, line.percent, " to "),
        "seed": str(line.seed),
        "trained again": number((line.again,), line.percent),
        "within": {True: "yes", False: "no", None: "cannot be told"}[line.within],
    }


def as_json(lines: Sequence[Row | Verdict]) -> str:
    """The table as JSON, numbers as they are."""
    name = "verified" if isinstance(lines[0], Verdict) else "figures"
    return json.dumps({name: [asdict(line) for line in lines], "about": ABOUT}, indent=1, ensure_ascii=False)


def as_text(lines: Sequence[Row | Verdict]) -> str:
    """The table in Markdown."""
    told = [verdict_cells(line) if isinstance(line, Verdict) else cells(line) for line in lines]
    return markdown(told, "" if isinstance(lines[0], Verdict) else ABOUT)


def markdown(text: Sequence[dict[str, str]], about: str = "") -> str:
    """Rows of cells as a table in Markdown, and what they are."""
    body = [" | ".join(row.values()) for row in text]
    table = "\n".join(f"| {line} |" for line in (" | ".join(text[0]), " | ".join(["---"] * len(text[0])), *body))
    return f"{table}\n\n{about}" if about else table


def latex(lines: Sequence[Row]) -> str:
    """The table in LaTeX, for the package booktabs."""
    text = [{k: v.replace("±", r"$\pm$").replace("%", r"\%") for k, v in cells(line).items()} for line in lines]
    body = [" & ".join(row.values()) + r" \\" for row in text]
    spec = "l" + "r" * (len(text[0]) - 1)
    return "\n".join(
        [rf"\begin{{tabular}}{{{spec}}}", r"\toprule", " & ".join(text[0]) + r" \\", r"\midrule", *body, r"\bottomrule"]
        + [r"\end{tabular}", "", ABOUT.replace("±", r"$\pm$").replace("%", r"\%")]
    )


def with_table(text: str) -> str:
    """A page's text with the short table of today's records between the marks ``<!-- aae reproduce -->`` and ``<!-- end -->``."""
    table = markdown([short_cells(line) for line in rows()], SHORT)
    found = re.subn(
        r"(<!-- aae reproduce[^>]*-->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{table}\n{m[2]}", text, flags=re.S
    )
    if found[1] != 1:
        raise ValueError("expected the marks <!-- aae reproduce --> and <!-- end --> once, and in this order.")
    return found[0]


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        page.write_text(with_table(page.read_text("utf-8")), "utf-8")

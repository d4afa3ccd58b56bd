"""How long does it take to measure each model of the zoo, as ``aae evaluate`` does, beyond loading?"""

from __future__ import annotations

from collections.abc import Callable

from aae_core import cards, zoo
from aae_core.data import Splits, load_letters
from aae_core.metrics import evaluate, style_leak
from aae_core.recipes import RECIPES
from benchmarks.pairs import Measured, Setting, alternate, timed

ROUNDS = 2
"""At most: all of the zoo takes minutes each time."""
QUICK = ("judge", "clustering-16")
"""What is measured to see that it works."""


def seconds_to_measure(name: str, splits: Splits) -> float:
    """Seconds that the measures of a recipe's model take; its weights and the judge's are loaded before."""
    about = zoo.card(name)
    asked, model = cards.measures_of(about), zoo.load(name)
    judge, without = zoo.judge_for(asked, splits), cards.without_of(about)
    return timed(evaluate, model, splits, asked, judge, seed=about["seed"], without=without)


def seconds_of_probes(name: str, splits: Splits) -> float:
    """Seconds that a linear and a nonlinear probe of a recipe's codes take, of what its measures take; 0 where it asks for none."""
    if "style_leak" not in cards.measures_of(zoo.card(name)):
        return 0.0
    return timed(style_leak, zoo.load(name), splits.train, splits.test)


def measure(setting: Setting) -> list[Measured]:
    names = [name for name in (QUICK if setting.quick else RECIPES) if (zoo.ZOO / name / zoo.WEIGHTS).exists()]
    letters = load_letters() if any(RECIPES[name].dataset == "letters" for name in names) else setting.splits

    def of(name: str) -> Callable[[], float]:
        return lambda: seconds_to_measure(name, letters if RECIPES[name].dataset == "letters" else setting.splits)

    found = alternate({f"{name}, s": of(name) for name in names}, min(setting.rounds, ROUNDS))
    slowest = max(found, key=lambda each: sum(found[each])).removesuffix(", s")
    probes = seconds_of_probes(slowest, letters if RECIPES[slowest].dataset == "letters" else setting.splits)
    return [
        Measured(
            "measuring/slowest",
            f"the slowest model of the zoo to measure, which is {slowest}",
            found[f"{slowest}, s"],
            found,
            unit="s",
            at_most=8.0,
            bound=probes,
            note=f"run it with --threads 2: the bar is of two cores; the probes of the style's leak take {probes:.1f} s of it",
        )
    ]

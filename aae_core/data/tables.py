"""A table of your own: numeric and categorical columns, with gaps, as rows of numbers that a model can rebuild.

scikit-learn's ``ColumnTransformer`` does it. What it has learnt of the training data (a column's range, median and categories) is
kept as a small table, a sketch, on which it is fitted again for new rows: they are treated alike, and no pickle is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aae_core.data.images import DataError, say
from aae_core.data.items import Items, numbered
from aae_core.data.table_files import WIDEST, loaded

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.compose import ColumnTransformer

MOST_CATEGORIES = 100
"""A column of words with more of them is a name or a text, from which nothing can be rebuilt."""
NARROWEST = 10 * float(np.finfo(float).eps)
"""A column's range, up to which scikit-learn takes it for one number."""
LARGEST_NUMBER = 1e30
"""Of a column, in size: beyond it sums and squares leave what 32 bits hold."""
Sketch = dict[str, dict[str, Any]]
"""Of each column: its kind and ``low, middle, high`` or ``categories``, and whether it has gaps."""


def read_table(
    path: str | Path,
    label: str | None = None,
    *,
    sketch: Mapping[str, Any] | None = None,
    announce: Callable[[str], None] = say,
) -> Items:
    """The rows of a ``.csv`` or ``.parquet`` file: numbers scaled to [0, 1], a number for each category, one for each gap.

    Args:
        label: the column that holds the classes, if one does; rows in which it is empty are unlabelled.
        sketch: what was learnt of the columns of other rows; by default it is learnt of these.
        announce: takes a line for columns that are left out, and for words and gaps that `sketch` does not know.

    Returns:
        Items that are named by their rows in the file, whose first one is 1: in a text, the header.

    Raises:
        DataError: no such file, no table, no such column, columns that are missing, decimals behind a comma, or a number that
            is none; the message names the column and, where there is one, the row.
    """
    path = Path(path)
    both = label is not None and label in (sketch or ())  # a column of the model's as well, trained without labels
    frame = loaded(path, None if both else label, announce)
    labels: list[str | None] = [None] * len(frame)
    if label is not None:
        if label in frame:
            labels = _classes(frame[label] if both else frame.pop(label))
        elif sketch is None:
            raise DataError(f"{path}: has no column '{label}'. There are: {', '.join(map(str, frame.columns))}.")
    if sketch is not None and not is_sketch(sketch):
        odd = next((name for name, about in sketch.items() if not _is_known(about)), "")
        raise DataError(f"{path}: what was learnt of the column '{odd}' is not what a model's card says of one.")
    learnt: Sketch = dict(sketch) if sketch is not None else _sketch(path, frame, announce)
    if missing := [name for name in learnt if name not in frame]:
        raise DataError(f"{path}: the columns {', '.join(missing)} are missing; the model was trained with them.")
    rows = _transformer(learnt).transform(_typed(path, frame, learnt, announce)).astype(np.float32)
    if rows.shape[1] > WIDEST:
        raise DataError(
            f"{path}: its columns make {rows.shape[1]:,} numbers a row; {WIDEST:,} are the most. Leave some out."
        )
    numbers, classes = numbered(labels)
    names = [str(k) for k in frame.index]
    read_as = {"image_shape": [1, 1, rows.shape[1]], "label": label, "sketch": learnt}
    source = f"{len(frame):,} rows of {len(learnt)} columns in {path}"
    return Items(np.ascontiguousarray(rows[:, None, None]), numbers, classes, names, source, None, read_as)


def columns_of(sketch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each column, where it stands among a row's numbers: ``at``, and ``gap``, the place that tells of a gap, or None.

    With its ``name`` it has ``low`` and ``high``, the numbers that stand for 0 and 1; or ``categories``, a place each from
    ``at`` on. Numbers come first, then what tells of their gaps, then categories, as the transformer puts them.
    """
    numbers = [name for name, about in sketch.items() if about["kind"] == "number"]
    gaps = [name for name in numbers if sketch[name]["gaps"]]
    places: dict[str, dict[str, Any]] = {
        name: {"at": k, "gap": len(numbers) + gaps.index(name) if name in gaps else None}
        | {end: sketch[name][end] for end in ("low", "high")}
        for k, name in enumerate(numbers)
    }
    at = len(numbers) + len(gaps)
    for name in (name for name in sketch if name not in places):
        words = list(sketch[name]["categories"])
        places[name] = {"at": at, "gap": at + len(words) if sketch[name]["gaps"] else None, "categories": words}
        at += len(words) + sketch[name]["gaps"]
    return [{"name": name} | places[name] for name in sketch]


def values_of(rows: np.ndarray, sketch: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns of rows (N, numbers) that a model has rebuilt or drawn: numbers as they were, the most likely category.

    Where a row tells of a gap there is None.
    """
    found: dict[str, list[Any]] = {}
    for column in columns_of(sketch):
        at, gap = column["at"], column["gap"]
        if "categories" in column:
            words = [*column["categories"], None]
            found[column["name"]] = [words[k] for k in rows[:, at : at + len(words) - (gap is None)].argmax(1)]
        else:
            values = (column["low"] + rows[:, at].astype(float) * (column["high"] - column["low"])).tolist()
            empty = rows[:, gap] > 0.5 if gap is not None else np.zeros(len(rows), bool)
            found[column["name"]] = [None if none else value for value, none in zip(values, empty, strict=True)]
    return found


def _classes(told: pd.Series) -> list[str | None]:
    """A column's values as names of classes; None where it is empty. Whole numbers have no decimals, whether or not some are missing."""
    from pandas.api.types import is_float_dtype

    there = told.dropna()
    if is_float_dtype(told) and len(there) < len(told) and (there % 1 == 0).all():
        told = told.astype("Int64")
    return [None if empty or value == "" else str(value) for value, empty in zip(told, told.isna(), strict=True)]


def is_sketch(sketch: object) -> bool:
    """Whether this is what a card says of a table's columns, of which there is one at least."""
    return isinstance(sketch, dict) and bool(sketch) and all(_is_known(about) for about in sketch.values())


def _is_known(about: object) -> bool:
    """Whether this is what a sketch says of a column."""
    match about:
        case {"kind": "number", "low": low, "middle": middle, "high": high, "gaps": bool()}:
            return all(type(n) in (int, float) and np.isfinite(float(n)) for n in (low, middle, high))
        case {"kind": "category", "categories": [*words], "gaps": bool()}:
            return 0 < len(words) <= MOST_CATEGORIES and all(isinstance(word, str) for word in words)
    return False


def _sketch(path: Path, frame: pd.DataFrame, announce: Callable[[str], None]) -> Sketch:
    """What is to be known of each column, but for those that say nothing: all alike, or nearly, empty, or names."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    learnt: Sketch = {}
    left_out = []
    for name, column in frame.items():
        there = column.dropna()
        gaps = len(there) < len(column)
        if there.nunique() < 2 and not (gaps and len(there)):
            left_out.append(f"{name} (always the same)")
        elif is_numeric_dtype(column) and not is_bool_dtype(column):
            numbers = there.astype(float)
            if (odd := ~(numbers.abs() <= LARGEST_NUMBER)).any():
                row = int(numbers.index[odd][0])
                raise DataError(
                    f"{path}: column '{name}', row {row}: expected a number of at most {LARGEST_NUMBER:g} in size, got {numbers[row]}."
                )
            low, middle, high = float(numbers.min()), float(numbers.median()), float(numbers.max())
            if high - low < NARROWEST and not gaps:  # where there are gaps, they say something
                left_out.append(f"{name} (its numbers differ by {high - low:.2g})")
                continue
            learnt[str(name)] = {"kind": "number", "low": low, "middle": middle, "high": high, "gaps": gaps}
        elif there.nunique() > MOST_CATEGORIES:
            _tell_of_numbers(name, there, announce)
            left_out.append(f"{name} ({there.nunique():,} different words)")
        else:
            _tell_of_numbers(name, there, announce)
            words = sorted(there.astype(str).unique().tolist())
            learnt[str(name)] = {"kind": "category", "categories": words, "gaps": gaps}
    if left_out:
        announce(f"Data: columns left out: {', '.join(left_out)}.")
    if not learnt:
        raise DataError(f"{path}: no column has two different values.")
    return learnt


def _tell_of_numbers(name: object, there: pd.Series, announce: Callable[[str], None]) -> None:
    """Says so where most of what is read as words are numbers: a sign for a gap makes words of a whole column."""
    import pandas as pd

    none = pd.to_numeric(there, errors="coerce").isna()
    if 0 < none.sum() < len(there) / 2:
        row = there.index[none][0]
        announce(
            f"Data: column '{name}': row {row} has {there[row]!r} and {len(there) - int(none.sum()):,} rows have numbers, so all count as words. "
            "Leave such cells empty to have it read as numbers."
        )


def _typed(path: Path, frame: pd.DataFrame, learnt: Sketch, announce: Callable[[str], None]) -> pd.DataFrame:
    """The columns that were learnt, numbers as such and words as such."""
    import pandas as pd

    columns = {}
    for name, about in learnt.items():
        column = frame[name]
        if (n := int(column.isna().sum())) and not about["gaps"]:
            filled = (
                "count as none of its words" if about["kind"] == "category" else f"are filled with {about['middle']:g}"
            )
            announce(
                f"Data: column '{name}': {n:,} rows have a gap, as none had that the model learnt from; they {filled}."
            )
        if about["kind"] == "category":
            words = [None if gap else str(value) for value, gap in zip(column, column.isna(), strict=True)]
            columns[name] = pd.Series(words, frame.index, dtype=object)
            if odd_words := [word for word in words if word is not None and word not in about["categories"]]:
                told = ", ".join(sorted(set(odd_words))[:5])
                announce(
                    f"Data: column '{name}': {len(odd_words):,} rows have words that the model does not know, which count as "
                    f"none of those it does: {told}."
                )
            continue
        columns[name] = pd.to_numeric(column, errors="coerce").astype(float)
        odd = (columns[name].isna() & column.notna()) | (columns[name].abs() > LARGEST_NUMBER)
        if odd.any():
            row = int(frame.index[odd][0])
            raise DataError(f"{path}: column '{name}', row {row}: expected a number, got {column[row]!r}.")
    return pd.DataFrame(columns)


def _transformer(learnt: Sketch) -> ColumnTransformer:
    """A transformer fitted on a table that has the ranges, medians and categories of the sketch."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

    columns: dict[str, list[Any]] = {}
    for name, about in learnt.items():
        number = about["kind"] == "number"
        values = [about["low"], about["middle"], about["high"]] if number else list(about["categories"])
        columns[name] = values + [np.nan if number else None] * about["gaps"]
    longest = max(map(len, columns.values()))
    for name, values in columns.items():  # to one length: a number by its median, which stays the median
        filler = learnt[name].get("middle", values[0])
        columns[name] = values + [filler] * (longest - len(values))
    table = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    numbers = [name for name, about in learnt.items() if about["kind"] == "number"]
    words = [name for name in learnt if name not in numbers]
    table[numbers] = table[numbers].astype(float)
    scale = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), MinMaxScaler())
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("numbers", scale, numbers), ("words", encode, words)]).fit(table)

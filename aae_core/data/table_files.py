"""A table as it lies in a file: the separator, the header and the places of the rows of a text, or a ``.parquet`` file."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aae_core.data.images import DataError
from aae_core.files import refuse_pickle

if TYPE_CHECKING:
    import pandas as pd

WIDEST = 4096
"""Most columns of a text, and most numbers that a row may become."""
SEPARATORS, HEAD = ",;\t| ", 2**16
"""What may stand between the columns of a text, and how many characters of it are looked at to find which one does."""
NUMBER = r"\s*[-+]?\d[\d.]*(?:,\d+)?\s*"
"""A number whose decimals, if it has some, stand behind a comma."""


def loaded(path: Path, label: str | None, announce: Callable[[str], None]) -> pd.DataFrame:
    """The file's table, its index the rows' places in the file. In a text the column `label` is kept as it is written."""
    import pandas as pd

    if not path.is_file():
        raise DataError(
            f"{path}: expected a table's file, {'got a folder' if path.is_dir() else 'there is no such file'}."
        )
    try:
        refuse_pickle(path)
    except ValueError as error:
        raise DataError(str(error)) from error
    try:
        frame = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else _comma_separated(path, label, announce)
    except ImportError as error:
        raise DataError(
            f"{path}: .parquet is read by pyarrow, which is not installed: pip install 'aae-core[parquet]'. Or save the table as .csv."
        ) from error
    except Exception as error:  # pandas meets altered bytes with errors of many kinds
        raise DataError(f"{path}: not a table ({(str(error).splitlines() or ['empty'])[0][:120]}).") from error
    if frame.empty:
        raise DataError(f"{path}: the table has no rows or no columns.")
    frame.columns = [str(name) for name in frame.columns]
    if any("\0" in name for name in frame.columns):
        raise DataError(f"{path}: a column's name has a zero byte. Save the table as text, in UTF-8.")
    if twice := frame.columns[frame.columns.duplicated()].tolist():
        raise DataError(f"{path}: the column '{twice[0]}' is there twice. Rename one.")
    if path.suffix.lower() == ".parquet":
        frame.index = pd.RangeIndex(1, 1 + len(frame))
    _check_commas(path, frame)
    return frame


def _check_commas(path: Path, frame: pd.DataFrame) -> None:
    """Refuses a column in which all are numbers and some have their decimals behind a comma."""
    for name in frame.select_dtypes(exclude="number"):
        there = frame[name].dropna().astype(str)
        odd = there[there.str.contains(",", regex=False)]
        if len(odd) and there.str.fullmatch(NUMBER).all():
            raise DataError(
                f"{path}: column '{name}', row {odd.index[0]}: {odd.iloc[0]!r} has a comma before its decimals. Save the table with "
                "points: pandas.read_csv(…, decimal=',').to_csv(…, index=False)."
            )


def _comma_separated(path: Path, label: str | None, announce: Callable[[str], None]) -> pd.DataFrame:
    """A table of text, whatever separates its columns; its index is the rows' places in the file, where the header has 1."""
    import pandas as pd

    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = file.read(HEAD).splitlines(keepends=True)
    try:
        separator = csv.Sniffer().sniff("".join(lines[:20]), SEPARATORS).delimiter
    except csv.Error:  # nothing that separates: one column
        separator = ","
    if lines and lines[0].count(separator) >= WIDEST:
        raise ValueError(f"{lines[0].count(separator) + 1:,} columns; {WIDEST:,} are the most")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # of fields that would be lost
        try:
            frame = pd.read_csv(
                path,
                sep=separator,
                encoding="utf-8-sig",
                low_memory=False,
                index_col=False,  # else a separator at the rows' ends would move all columns by one
                converters={label: str.strip} if label is not None else None,
            )
        except pd.errors.ParserWarning as warning:
            raise ValueError("rows have more fields than the header has names") from warning
    names, places = _places(path, separator)
    if len(names) == len(frame.columns):
        frame.columns = [
            name or made_up for name, made_up in zip(names, frame.columns, strict=True)
        ]  # pandas hides twins
    frame.index = pd.RangeIndex(2, 2 + len(frame))
    if len(places) == len(frame):
        frame.index = pd.Index(places)
        if places and (empty := places[-1] - 1 - len(places)):
            announce(f"Data: {empty:,} empty rows of {path.name} were left out.")
    return frame


def _places(path: Path, separator: str) -> tuple[list[str], list[int]]:
    """The header's names, and of each row below it the place among all rows of a text, the empty ones included, from 1 on."""
    names: list[str] = []
    places: list[int] = []
    with path.open(encoding="utf-8-sig", newline="") as file, suppress(csv.Error):  # of fields beyond all measure
        for place, row in enumerate(csv.reader(file, delimiter=separator), 1):
            if len(row) > 1 or any(map(str.strip, row)):
                names = names or row
                places.append(place)
    return names, places[1:]

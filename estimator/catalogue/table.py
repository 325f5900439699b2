"""Reading the tables of the catalogue: a CSV file whose columns are the fields of a struct."""

import csv
from pathlib import Path
from typing import TypeVar

import msgspec

Row = TypeVar("Row", bound=msgspec.Struct)
LISTS = frozenset({"aliases", "tasks"})
"""Columns whose cells hold several words with "|" between them."""


def rows(path: Path, kind: type[Row]) -> list[Row]:
    """All rows of the file; an empty cell takes the default.

    Raises:
        msgspec.ValidationError: a cell holds what its column cannot.
    """
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    filled: list[dict[str, object]] = []
    for row in read:
        cells: dict[str, object] = {name: cell for name, cell in row.items() if cell}
        for several in LISTS & cells.keys():
            cells[several] = str(cells[several]).split("|")
        filled.append(cells)
    return msgspec.convert(filled, list[kind], strict=False)  # type: ignore[valid-type]

"""Reading the tables of the catalogue: a CSV file whose columns are the fields of a struct."""

import csv
from pathlib import Path
from typing import TypeVar

import msgspec

Row = TypeVar("Row", bound=msgspec.Struct)


def rows(path: Path, kind: type[Row]) -> list[Row]:
    """All rows of the file; an empty cell takes the default, further names are split at "|".

    Raises:
        msgspec.ValidationError: a cell holds what its column cannot.
    """
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    filled: list[dict[str, object]] = []
    for row in read:
        cells: dict[str, object] = {name: cell for name, cell in row.items() if cell}
        if row.get("aliases"):
            cells["aliases"] = row["aliases"].split("|")
        filled.append(cells)
    return msgspec.convert(filled, list[kind], strict=False)  # type: ignore[valid-type]

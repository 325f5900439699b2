"""Published measurements: one row says what somebody measured, on what, and where it is written."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Metric = Literal["decode_tps", "prefill_tps", "throughput_tps"]
METRICS: tuple[Metric, ...] = ("decode_tps", "prefill_tps", "throughput_tps")
NEEDED = ("id", "hardware", "engine", "backend", "model", "quant", "metric", "value")
NO_NUMBER = frozenset({"mixed", "max"})
"""What may stand where a number should: a mean over several, and as many as fit."""
LARGEST = 1e15
MOST = 1e9
MOST_DEVICES = 4096
SHIPPED = Path(__file__).parent / "data" / "published.csv"
"""The rows that come with llmtop."""


class BadRows(Exception):
    """The file cannot be used; the text is one line that says where and why."""


class Measurement(Struct, frozen=True, kw_only=True):
    """One measured rate. Numbers that the row does not give are None."""

    id: str
    hardware: str
    n_devices: int = 1
    engine: str
    backend: str
    engine_version_or_date: str = ""
    model: str
    params_b: float | None = None
    quant: str
    weight_gib: float | None = None
    n_prompt: int | None = None
    n_gen: int | None = None
    batch: int | None = 1
    """Streams at once; None where the row says only "as many as fit" ("max")."""
    context: int | None = None
    """Tokens in the KV cache before the run; None where the row is a mean over several."""
    metric: str
    value: float | None
    power_limit_w: float | None = None
    source: str = ""
    note: str = ""
    problem: str | None = None
    """Why the row cannot be used: what stands in it where a number should."""


def load(path: Path) -> list[Measurement]:
    """Reads a CSV file of measurements; columns that are not known are ignored.

    A row with no number where one must stand is kept, with the problem said in it.

    Raises:
        BadRows: it cannot be read, is no CSV file, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
            if missing:
                raise BadRows(f"{path}: no column {', '.join(missing)}; the first line must name the columns")
            return [_Cells(row, rows.line_num).measurement() for row in rows]
    except OSError as error:
        raise BadRows(f"cannot read {path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadRows(f"{path} is no CSV file: {error}") from None


class _Cells:
    """The cells of one row, read by the names of their columns."""

    def __init__(self, row: Mapping[str | None, str | list[str] | None], line: int) -> None:
        self._row = row
        self._line = line
        self.problem: str | None = None

    def text(self, name: str) -> str:
        value = self._row.get(name)
        return value.strip() if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        written = self.text(name)
        if not written or written in NO_NUMBER:
            return None
        try:
            value = float(written)
        except ValueError:
            value = -1.0
        if not 0.0 <= value < LARGEST:
            self.problem = f"line {self._line}: {name} is {written[:40]!r}, no number that can stand there"
            return None
        return value

    def whole(self, name: str, most: float = MOST) -> int | None:
        value = self.number(name)
        if value is not None and (value != round(value) or value > most):
            self.problem = (
                f"line {self._line}: {name} is {self.text(name)[:40]!r}, no whole number that can stand there"
            )
            return None
        return None if value is None else round(value)

    def measurement(self) -> Measurement:
        value = self.number("value")
        if not value and self.problem is None:
            self.problem = f"line {self._line}: value must be a number above 0"
        batch = self.whole("batch")
        found = Measurement(
            id=self.text("id"),
            hardware=self.text("hardware"),
            n_devices=max(self.whole("n_devices", MOST_DEVICES) or 1, 1),
            engine=self.text("engine"),
            backend=self.text("backend"),
            engine_version_or_date=self.text("engine_version_or_date"),
            model=self.text("model"),
            params_b=self.number("params_b"),
            quant=self.text("quant"),
            weight_gib=self.number("weight_gib"),
            n_prompt=self.whole("n_prompt"),
            n_gen=self.whole("n_gen"),
            batch=None if self.text("batch") == "max" else max(batch or 1, 1),
            context=self.whole("context"),
            metric=self.text("metric"),
            value=value or None,
            power_limit_w=self.number("power_limit_w"),
            source=self.text("source"),
            note=self.text("note"),
        )
        return replace(found, problem=self.problem)

"""Published measurements: one row says what somebody measured, on what, and where it is written."""

import csv
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TextIO

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
MOST_ROWS = 500_000
MOST_CHARACTERS = 1 << 27
"""Of all rows: some 500 000 usual ones."""
LONGEST_ROW = 1 << 18
"""Characters of one row, however many lines it has."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?", re.ASCII)
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
        BadRows: it cannot be read, is no CSV file, lacks a column, or has more rows or longer ones than anybody writes.
    """
    try:
        kind = path.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind) or stat.S_ISDIR(kind)):
            raise BadRows(f"{path} is no regular file and no pipe")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_rows(file, path))
    except OSError as error:
        raise BadRows(f"cannot read {path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadRows(f"{path} is no CSV file: {error}") from None


class _Lines:
    """The lines of a file, as long as a row does not get too long."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._length = 0
        self._whole = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_ROW + 1)
        self._length += len(line)
        if self._length > LONGEST_ROW:
            raise BadRows(f"{self._path} is no CSV file: a row of more than {LONGEST_ROW >> 10} KiB")
        self._whole += len(line)
        if self._whole > MOST_CHARACTERS:
            raise BadRows(f"{self._path}: more than {MOST_CHARACTERS >> 20} MiB")
        if not line:
            raise StopIteration
        return line

    def end_row(self) -> None:
        """The next line begins another row."""
        self._length = 0


def _rows(file: TextIO, path: Path) -> Iterator[Measurement]:
    lines = _Lines(file, path)
    rows = csv.DictReader(lines, strict=True)
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise BadRows(f"{path}: no column {', '.join(missing)}; the first line must name the columns")
    for count, row in enumerate(rows, 1):
        if count > MOST_ROWS:
            raise BadRows(f"{path}: more than {MOST_ROWS} rows")
        lines.end_row()
        yield _Cells(row, rows.line_num).measurement()


class _Cells:
    """The cells of one row, read by the names of their columns."""

    def __init__(self, row: Mapping[str | None, str | list[str] | None], line: int) -> None:
        self._row = row
        self._line = line
        self.problem: str | None = None

    def text(self, name: str) -> str:
        value = self._row.get(name)
        if not isinstance(value, str):
            return ""
        value = value.strip()
        return value if value.isprintable() else "".join(sign if sign.isprintable() else " " for sign in value).strip()

    def number(self, name: str) -> float | None:
        written = self.text(name)
        if not written or written in NO_NUMBER:
            return None
        value = float(written) if _NUMBER.fullmatch(written) else -1.0
        if not 0.0 <= value < LARGEST:
            self.problem = f"line {self._line}: {name} is {written[:40]!r}, no number that can stand there"
            return None
        return value

    def above_0(self, name: str) -> float | None:
        value = self.number(name)
        if value == 0:
            self.problem = f"line {self._line}: {name} must be a number above 0"
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

    def count(self, name: str, most: float = MOST) -> int | None:
        """How many there are, at least one."""
        return None if self.above_0(name) is None else self.whole(name, most)

    def measurement(self) -> Measurement:
        value = self.above_0("value")
        if value is None and self.problem is None:
            self.problem = f"line {self._line}: value must be a number above 0"
        batch = self.count("batch")
        found = Measurement(
            id=self.text("id"),
            hardware=self.text("hardware"),
            n_devices=self.count("n_devices", MOST_DEVICES) or 1,
            engine=self.text("engine"),
            backend=self.text("backend"),
            engine_version_or_date=self.text("engine_version_or_date"),
            model=self.text("model"),
            params_b=self.above_0("params_b"),
            quant=self.text("quant"),
            weight_gib=self.above_0("weight_gib"),
            n_prompt=self.whole("n_prompt"),
            n_gen=self.whole("n_gen"),
            batch=None if self.text("batch") == "max" else batch or 1,
            context=self.whole("context"),
            metric=self.text("metric"),
            value=value,
            power_limit_w=self.above_0("power_limit_w"),
            source=self.text("source"),
            note=self.text("note"),
        )
        return replace(found, problem=self.problem)

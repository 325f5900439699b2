"""What others measured of the very thing that is asked, among the rows that ship."""

import csv
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from .accuracy import AGGREGATE
from .catalogue.devices import device
from .catalogue.formats import format as known_format
from .catalogue.models import model
from .catalogue.names import UnknownName
from .measurements import SHIPPED
from .question import Question
from .software import Software, engine, year

NEAR = 2048.0
"""Tokens in the cache by which a measurement may differ from what is asked."""


class Published(Struct, frozen=True, kw_only=True):
    """One measured decode rate, all streams together."""

    id: str
    decode_tps: float
    context_tokens: float
    """In the cache when half of the answer was there."""
    source: str


class _Thing(Struct, frozen=True, kw_only=True):
    """The names in the catalogue."""

    device: str
    model: str
    format: str


def published(question: Question, rows: Path = SHIPPED) -> list[Published]:
    """Rows of the same devices, engine and its era, backend, model, format and streams, the nearest context first.

    Rows under a power limit are left out. Lines that cannot be it are not even split: this takes 3 ms.
    """
    if len({each.name for each in question.devices}) != 1 or question.streams is None or question.power_limit_w:
        return []
    facts = question.facts
    try:
        asked = _Thing(
            device=device(question.devices[0].name).name,
            model=model(facts.name).name,
            format=known_format(facts.quantization or "").name,
        )
    except UnknownName:
        return []
    found = [
        Published(id=row["id"], decode_tps=float(row["value"]), context_tokens=_context(row), source=row["source"])
        for row in _rows(rows, question.software.backend)
        if _said(row, question) and _thing(row) == asked
    ]
    near = [each for each in found if abs(each.context_tokens - question.depth) <= NEAR]
    return sorted(near, key=lambda each: abs(each.context_tokens - question.depth))


def _rows(path: Path, backend: str) -> Iterator[dict[str, str]]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    likely = (line for line in lines[1:] if ",decode_tps," in line and f",{backend}," in line)
    return csv.DictReader(likely, lines[0].split(","))


def _said(row: dict[str, str], question: Question) -> bool:
    """Whether all but the names is the same."""
    said = (row["n_devices"] or "1", row["batch"], row["power_limit_w"])
    same = said == (str(len(question.devices)), f"{question.streams:.0f}", "") and AGGREGATE not in row["note"]
    return same and _software(row["engine"], row["engine_version_or_date"]) == question.software.names


@lru_cache(maxsize=1024)
def _software(name: str, build: str) -> tuple[str, ...] | None:
    """The engine and its era."""
    try:
        return Software(engine=engine(name), backend="cpu", year=year(build)).names
    except UnknownName:
        return None


def _thing(row: dict[str, str]) -> _Thing | None:
    return _named(row["hardware"], row["model"], row["quant"])


@lru_cache(maxsize=1024)
def _named(hardware: str, facts: str, quant: str) -> _Thing | None:
    try:
        return _Thing(device=device(hardware).name, model=model(facts).name, format=known_format(quant).name)
    except UnknownName:
        return None


def _context(row: dict[str, str]) -> float:
    if row["context"].isdecimal() and int(row["context"]):
        return float(row["context"])
    prompt, generate = (int(row[name]) if row[name].isdecimal() else 0 for name in ("n_prompt", "n_gen"))
    return prompt + (generate or 128) / 2.0

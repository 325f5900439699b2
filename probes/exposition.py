"""Prometheus text: the wanted samples of a body, and nothing else of it."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from math import isfinite

_MOST_BYTES = 1 << 20
_LONGEST_LINE = 8 << 10
"""Bounds of what a lying engine can make us parse."""


class BadExposition(Exception):  # it names a thing, not an event
    """The text is not what Prometheus reads. Its text is one line that can stand in a row."""


class Series:
    """Samples by the name that they have on the wire, each with its labels. Only finite values are kept."""

    def __init__(self, samples: Mapping[str, list[tuple[dict[str, str], float]]]) -> None:
        self._samples = samples

    def get(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """The samples of a name that carry all of these labels."""
        return [row for row in self._samples.get(name, ()) if labels.items() <= row[0].items()]

    def total(self, name: str, **labels: str) -> float | None:
        """Their sum; None where there is none."""
        rows = self.get(name, **labels)
        return sum(value for _, value in rows) if rows else None

    def mean(self, name: str, **labels: str) -> float | None:
        """Their mean; None where there is none."""
        rows = self.get(name, **labels)
        return sum(value for _, value in rows) / len(rows) if rows else None

    def first(self, names: Iterable[str], **labels: str) -> str | None:
        """The first of these names that has a value."""
        return next((name for name in names if self.get(name, **labels)), None)

    def label(self, name: str, label: str) -> str | None:
        """The first value of a label on the samples of a name."""
        return next((labels[label] for labels, _ in self.get(name) if label in labels), None)


def parse(body: bytes, names: Collection[str]) -> Series:
    """Reads the samples with exactly these names.

    Other lines are never looked into: neither their errors nor `_created` samples matter. A value that is no number
    (NaN) or infinite is unknown, and left out.

    Raises:
        BadExposition: a line with a wanted name cannot be read.
    """
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  # 45 ms

    lines = [line for line in body.split(b"\n") if line.startswith(_starts(frozenset(names)))]
    if sum(map(len, lines)) > _MOST_BYTES or any(len(line) > _LONGEST_LINE for line in lines):
        raise BadExposition("its metrics are too long to be true")
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    try:
        for family in text_string_to_metric_families(b"\n".join(lines).decode("utf-8", "replace")):
            for sample in family.samples:
                if isfinite(value := float(sample.value)):
                    found.setdefault(sample.name, []).append((sample.labels, value))
    except (ValueError, IndexError, OverflowError):
        raise BadExposition("its metrics are not Prometheus text") from None
    return Series(found)


@lru_cache(maxsize=64)
def _starts(names: frozenset[str]) -> tuple[bytes, ...]:
    """How lines with these names begin."""
    return tuple(f"{name}{end}".encode() for name in sorted(names) for end in "{ \t")

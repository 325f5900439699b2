"""The models that are on this machine already, with their real sizes."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator

from ...estimator.fit import Wish, fit
from ...estimator.offers import offer
from ...estimator.terms import Unanswerable
from ...probes.models import BadModelFile, facts
from ...probes.models.stores.present import present
from ...probes.models.stores.stored import Stored
from ...probes.sample import ModelFacts
from .box import AskedBox
from .rows import Row, row

SLOW_S = 0.5
"""From then on the person is told how far it is."""


def on_disk(about: AskedBox, wanted: Wish) -> list[Row]:
    """What the stores hold, the largest that fit first; what is no language model that can be read is left out."""
    return rows_of(_read(present(), _told if sys.stderr is not None and sys.stderr.isatty() else None), about, wanted)


def read() -> list[tuple[Stored, ModelFacts]]:
    """The language models of this machine that can be read, without a word about it."""
    return list(_read(present(), None))


def rows_of(models: Iterable[tuple[Stored, ModelFacts]], about: AskedBox, wanted: Wish) -> list[Row]:
    """The largest that fit first; those that the engine cannot run here are left out."""
    rows: list[Row] = []
    for stored, found in models:
        try:
            made = offer(None, fit(found, about.box, wanted))
        except Unanswerable:
            continue
        rows.append(row(made, name=stored.name, store=stored.store))
    return sorted(rows, key=lambda each: (each.fits, each.memory_bytes), reverse=True)


def _told(words: str) -> None:
    sys.stderr.write(f"\r{words}" if words else "\r\033[K")
    sys.stderr.flush()


def _read(found: list[Stored], tell: Callable[[str], None] | None) -> Iterator[tuple[Stored, ModelFacts]]:
    began, told = time.monotonic(), False
    for at, stored in enumerate(found):
        if tell and time.monotonic() - began > SLOW_S:
            tell(f"reading the models on this disk: {at} of {len(found)}")
            told = True
        try:
            model = facts(str(stored.path))
        except BadModelFile:
            continue
        if model is not None and not model.missing_shards and model.kv_elements:
            yield stored, model
    if told and tell:
        tell("")

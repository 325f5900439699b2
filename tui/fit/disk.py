"""The models that are on this machine already, with their real sizes."""

import sys
import time
from collections.abc import Iterator

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
    """What the stores hold, the largest that fit first; what is no language model that can be read is left out.

    Raises:
        Unanswerable: nothing runs on this machine.
    """
    rows: list[Row] = []
    for stored, found in _read(present()):
        try:
            made = offer(None, fit(found, about.box, wanted))
        except Unanswerable:
            continue
        rows.append(row(made, name=stored.name, store=stored.store))
    return sorted(rows, key=lambda each: (each.fits, each.memory_bytes), reverse=True)


def _read(found: list[Stored]) -> Iterator[tuple[Stored, ModelFacts]]:
    began, told = time.monotonic(), False
    for at, stored in enumerate(found):
        if time.monotonic() - began > SLOW_S and sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write(f"\rreading the models on this disk: {at} of {len(found)}")
            sys.stderr.flush()
            told = True
        try:
            model = facts(str(stored.path))
        except BadModelFile:
            continue
        if model is not None and not model.missing_shards and model.kv_elements:
            yield stored, model
    if told:
        sys.stderr.write("\r\033[K")

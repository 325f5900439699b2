"""How a tuning comes about: the devices, the bench, and the load that llmtop makes. It may wait for a driver."""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from ...estimator.snapshot import EngineView, Snapshot
from ...estimator.tuning.point import Point
from ...estimator.tuning.steps import Measured
from ...probes.limits.contract import LimitError
from ...probes.limits.of_device import limits_of
from ..refusal import Refusal, WrongUsage
from .bench import Bench
from .load import Load
from .target import Target, target
from .tuning import Tuning
from .wish import Wish

COUNTS = frozenset({"token", "step", "interval"})
"""Engines that count while they work are believed before clients: others may ask there too."""


class Opened(Struct, frozen=True, kw_only=True):
    """A tuning that can be entered; else why there is none, and what could be meant instead."""

    tuning: Tuning | None = None
    reason: str = ""
    devices: tuple[tuple[str, str], ...] = ()
    """Ids and names, where it is not clear which is meant."""


def opened(
    snapshot: Snapshot,
    engine: EngineView | None,
    wanted: Sequence[str],
    wish: Wish,
    *,
    points: Sequence[Point] = (),
    api_key: str | None = None,
    folder: Path | None = None,
) -> Opened:
    """Looks where the limits stand; changes nothing.

    Args:
        snapshot: the machine now.
        engine: whose speed answers.
        wanted: ids of devices; none means those of the engine.
        wish: how it is measured.
        points: measured before.
        api_key: of the engine, for the load that llmtop makes.
        folder: of journal and locks.
    """
    try:
        about = target(snapshot, wanted, engine)
        bench = Bench(about, wish, loads(about, wish, api_key) if wish.generate else None)
        bench.points += points
        return Opened(tuning=Tuning(about, bench, folder))
    except WrongUsage as doubt:
        return Opened(reason=str(doubt), devices=() if wanted else _able(snapshot))
    except (Refusal, LimitError) as error:
        return Opened(reason=str(error))


def _able(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    return tuple((device.id, device.name) for device in snapshot.devices if limits_of(device))


def loads(about: Target, wish: Wish, api_key: str | None) -> Callable[[Bench, Measured], Load]:
    """What makes the load of a phase; it raises ValueError where the URL or the key cannot be used."""

    def load(bench: Bench, phase: Measured) -> Load:
        view = about.engine
        if view is None:
            raise LimitError("no engine to send requests to")
        return Load(
            view.url,
            streams=wish.streams,
            phase=phase,
            api_key=api_key,
            engine=view.engine,
            on_tokens=None if view.liveness in COUNTS else bench.count,
            on_prompt=bench.prompt,
        )

    return load

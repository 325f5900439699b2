"""The engines to choose from, and whether they run on a machine."""

from ...estimator.backends import NoBackend, common_backend
from ...estimator.fit import Box
from ...estimator.software import ENGINES, UNKNOWN


def engine_options(box: Box | None) -> list[tuple[str, str]]:
    """Each by name, with what it would run on; those that run nowhere on it say so."""
    names = [name for name in ENGINES if name != UNKNOWN]
    return [(name, _where(name, box) if box else "") for name in names]


def _where(name: str, box: Box) -> str:
    cpus = (box.cpu,) if box.cpu else ()
    for devices in (box.gpus, cpus):
        if devices:
            try:
                backend = common_backend(ENGINES[name], devices)
            except NoBackend:
                continue
            return f"{backend} on the {'CPU' if devices is cpus else devices[0].name}"
    return "runs on none of the devices"

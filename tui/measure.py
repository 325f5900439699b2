"""`llmtop probe --measure`: how fast the memory of this machine really is. All that is said goes to standard error."""

import sys
from collections.abc import Callable

from ..probes.hardware.measured.bandwidth import measure
from ..probes.hardware.measured.cuda_bandwidth import gpus, measure_gpu
from ..probes.hardware.measured.device_measurement import save_device
from ..probes.hardware.measured.measurement import load, save
from ..probes.hardware.measured.other_work import occupied
from .output import say
from .refusal import Refusal

_ADVICE = "wait until it is done, or add --force to measure beside it"


def measure_cpu(what: str) -> None:
    """Measures the main memory and keeps the figure; says so when the machine was too busy for a good one.

    A figure that was spoilt does not take the place of a better one that was not.

    Raises:
        Refusal: There is too little memory, no thread is to be had, or the figure cannot be kept.
    """
    try:
        known, measurement = load(), measure(progress(what))
        kept = known if known and known.outlasts(measurement) else measurement
        if kept is measurement:
            save(measurement)
    except MemoryError as error:
        raise Refusal(str(error)) from None
    except RuntimeError as error:
        raise Refusal(f"the main memory is not measured: {error}") from None
    except OSError as error:
        raise _unwritable(error) from None
    if measurement.remark:
        say(measurement.remark)
    if kept is not measurement:
        say(f"{measurement.best_gbs:.1f} GB/s now; the {kept.best_gbs:.1f} GB/s of {kept.date[:10]} are kept")
    elif known and (words := measurement.differs(known)):
        say(words)


def measure_all(*, force: bool) -> bool:
    """Measures the main memory and that of each NVIDIA GPU, but not beside somebody's work unless `force` is given.

    What is not measured is said, a line each, with the reason and what to do.

    Returns:
        Whether all was measured.

    Raises:
        Refusal: The figure of a GPU cannot be kept.
    """
    busy = None if force else occupied()
    if busy:
        say(f"the main memory is not measured: {busy}; {_ADVICE}")
    else:
        try:
            measure_cpu("measuring the memory bandwidth")
        except Refusal as refusal:
            busy = str(refusal)
            say(busy)
    return _measure_gpus(force=force) and not busy


def progress(what: str) -> Callable[[float], None] | None:
    """A line that counts up on a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None

    def show(share: float) -> None:
        sys.stderr.write(f"\r{what}: {share:4.0%}" + ("\n" if share >= 1 else ""))
        sys.stderr.flush()

    return show


def _measure_gpus(*, force: bool) -> bool:
    devices, _ = gpus()  # what keeps the driver silent is said by the probe itself
    show = progress("measuring the memory of the GPUs")
    refused: list[str] = []
    remarks: list[str] = []
    for number, device in enumerate(devices):
        if show:
            show(number / len(devices))
        outcome = measure_gpu(device, force=force)
        name = f"{device.id} ({device.name})"
        if outcome.measurement is None:
            refused.append(f"{name} is not measured: {outcome.problem}" + (f"; {_ADVICE}" if outcome.occupied else ""))
            continue
        try:
            save_device(outcome.measurement)
        except OSError as error:
            raise _unwritable(error) from None
        if outcome.measurement.restless:
            spread = f"{outcome.measurement.spread:.0%}"
            remarks.append(f"{name} was not quiet (spread {spread}): measure again for a better figure")
    if show and devices:
        show(1.0)
    for line in (*refused, *remarks):
        say(line)
    return not refused


def _unwritable(error: OSError) -> Refusal:
    return Refusal(f"cannot write {error.filename}: {error.strerror}")

"""Measures one GPU in a process of its own: a context costs hundreds of MiB, and a driver may hang or crash.

python -m llmtop.probes.hardware.measured.cuda_child UUID SECONDS [force]
"""

import os
import signal
import sys
import threading

from msgspec import Struct
from msgspec.json import encode

from .cuda import Cuda, CudaError
from .cuda_copy import Copied, TooFull, copied
from .cuda_occupied import computing


class Answer(Struct, frozen=True):
    """What the child prints: what was found, or one line that says why nothing was."""

    found: Copied | None = None
    problem: str | None = None
    users: list[int] = []
    """Processes that compute on it, for whose sake nothing was measured."""


def answer(uuid: str, *, force: bool) -> Answer:
    """Measures the GPU with this name; without `force` only when nobody computes on it."""
    try:
        if not force and (users := computing(uuid)):
            return Answer(users=users)
        cuda = Cuda()
        device = cuda.device(uuid)
        if device is None:
            return Answer(problem="CUDA does not show it to this process")
        return Answer(found=copied(cuda, device))
    except OSError:
        return Answer(problem="the driver's CUDA library is not installed (libcuda.so.1)")
    except (CudaError, TooFull) as error:
        return Answer(problem=str(error))


def main() -> int:
    """Ends after so many seconds, also when the parent is gone; an interruption is for the parent to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uuid, seconds, *force = sys.argv[1:]
    last = threading.Timer(float(seconds), os._exit, (1,))
    last.daemon = True
    last.start()
    sys.stdout.buffer.write(encode(answer(uuid, force=bool(force))))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A child of the demo ends with its parent, however that ends."""

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def follow_parent() -> None:
    """Ends this process when the parent closes our standard input, which the kernel does if the parent is killed.

    On Linux the kernel also kills us when the thread that started us is gone: a foreign call may hold the interpreter.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait, name="parent", daemon=True).start()


def _wait() -> None:
    try:
        while os.read(0, 64):
            pass
    finally:
        os._exit(0)

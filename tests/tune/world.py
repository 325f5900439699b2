"""A simulated machine: an engine in a process of its own on GPUs of the simulated NVML. See simulation.py."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self

from ..real.engine import free_port

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = {
    "decode": "4090 decode x1",
    "prefill": None,
    "gpus": 1,
    "slots": 4,
    "load": "off",
    "streams": None,
    "noise": 0.01,
    "noise_memory_s": 0.5,
    "power_noise": 0.003,
    "drift_per_hour": 0.0,
    "scale": 1.0,
    "lag_s": 0.3,
    "seed": 1,
    "stop_after_s": None,
    "die_after_s": None,
    "vanish_after_s": None,
}


class World:
    """Runs while it is entered."""

    def __init__(self, state: Path, **settings: object) -> None:
        """Draws nothing yet.

        Args:
            state: the file that NVML_SIM names.
            settings: see `SETTINGS`. `decode` and `prefill` are words of the name of a sweep; `load` is "off", "own" or
                "uneven", of so many `streams` (None: those of the sweep); `noise` is a standard deviation around 1 that
                lasts for `noise_memory_s`; `scale` multiplies the speed, so that short stays have tokens enough.
        """
        assert settings.keys() <= SETTINGS.keys(), settings
        self.state = state
        self.limits = state.with_name(state.name + ".limits")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings: dict[str, Any] = SETTINGS | settings | {"state": str(state), "port": self.port}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Also again after its end, on the same port."""
        file = self.state.with_name("simulation.json")
        file.write_text(json.dumps(self._settings))
        places = os.pathsep.join([str(ROOT), str(ROOT / ".src")])
        command = [sys.executable, "-m", "tests.tune.simulation", str(file)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": places})
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self._process.poll() is None, "the simulation died"
            assert time.monotonic() < deadline, "the simulation does not come up"
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def set_limit(self, watts: float, gpu: int | None = None) -> None:
        """As somebody else would, past llmtop: of one GPU, or of all."""
        found = dict(line.split() for line in self.limits.read_text().splitlines()) if self.limits.exists() else {}
        for index in range(self._settings["gpus"]) if gpu is None else [gpu]:
            found[str(index)] = str(round(watts * 1000))
        draft = self.limits.with_name(self.limits.name + ".draft")
        draft.write_text("".join(f"{index} {milliwatts}\n" for index, milliwatts in found.items()))
        draft.replace(self.limits)

    def change(self, **wish: object) -> None:
        """Now: load="off", vanish=0, die=True. `vanish` and `return_` name a GPU."""
        with suppress(OSError, HTTPException):  # one that dies gives no answer
            asked = {name.rstrip("_"): value for name, value in wish.items()}
            self._ask("POST", "/simulation", json.dumps(asked))

    def busy(self) -> int:
        """Slots that work."""
        slots = json.loads(self._ask("GET", "/slots"))
        return sum(slot["is_processing"] for slot in slots)

    def _answers(self) -> bool:
        with suppress(OSError, HTTPException):
            self._ask("GET", "/health")
            return self.state.exists()
        return False

    def _ask(self, method: str, path: str, body: str | None = None) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read()
        finally:
            connection.close()

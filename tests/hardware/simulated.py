"""NVIDIA's library, simulated."""

import ctypes
import fcntl
import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("nvml_sim.c")
PACKAGES = Path(__file__).parents[2] / ".src"
EVERYTHING, NOTHING = "000001ffffffffff", "0000000000000000"
"""Capabilities of a process."""


def compile_nvml(compiler: str, folder: Path, *definitions: str) -> Path:
    """Compiles the simulator into a folder, and returns the library, under the name that the binding asks for."""
    library = folder / "libnvidia-ml.so.1"
    flags = ["-O1", "-shared", "-fPIC", "-pthread", f"-Wl,-soname,{library.name}"]
    subprocess.run([compiler, *flags, *definitions, "-o", library, SOURCE], check=True)
    return library


def environment(library: Path, state: Path) -> dict[str, str]:
    """The environment of a process that is to take the simulator for the driver's library."""
    return os.environ | {"LD_LIBRARY_PATH": str(library.parent), "NVML_SIM": str(state)}


def run(program: str, library: Path, state: Path) -> str:
    """What a program prints that a fresh interpreter runs and for which the loader finds the simulator."""
    settings = environment(library, state) | {"PYTHONPATH": str(PACKAGES)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout.strip()


def process(root: Path, capabilities: str, kernel: str = "6.8.0-60-generic") -> Path:
    """A machine of which only this is known: what our process may do."""
    for name, text in {
        "proc/self/status": f"Name:\tllmtop\nCapPrm:\t{EVERYTHING}\nCapEff:\t{capabilities}\n",
        "proc/sys/kernel/osrelease": f"{kernel}\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def limits_file(state: Path) -> Path:
    """Where the simulator keeps the limits that were set."""
    return state.with_name(f"{state.name}.limits")


def read_limits(state: Path) -> dict[int, float]:
    """The power limits that were set, in watts by the index of the GPU."""
    try:
        lines = limits_file(state).read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {int(index): int(milliwatts) / 1e3 for index, milliwatts in (line.split() for line in lines)}


def set_limit(state: Path, index: int, watts: float) -> None:
    """Sets the limit of one GPU, as another program would."""
    file = limits_file(state)
    with file.with_name(f"{file.name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        limits = read_limits(state) | {index: watts}
        draft = file.with_name(f"{file.name}.new")
        draft.write_text("".join(f"{each} {round(limits[each] * 1e3)}\n" for each in sorted(limits)))
        draft.replace(file)


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class SimulatedNvml:
    """The library that the binding calls, and the state that it answers from."""

    def __init__(self, library: Path, state: Path) -> None:
        self.library = library
        self.state = state
        self._functions = ctypes.CDLL(str(library))
        self._functions.nvmlSimCalls.restype = ctypes.c_ulong

    @property
    def calls(self) -> int:
        """Questions about devices so far."""
        return int(self._functions.nvmlSimCalls())

    @property
    def samples(self) -> int:
        """Samples that are allocated."""
        return int(self._functions.nvmlSimSamples())

    @property
    def limits(self) -> dict[int, float]:
        """The power limits that were set, in watts by the index of the GPU."""
        return read_limits(self.state)

    def set_limit(self, index: int, watts: float) -> None:
        """Sets the limit of one GPU, as somebody else would."""
        set_limit(self.state, index, watts)

    def write(self, text: str) -> None:
        """Makes this the state from the next call on."""
        draft = self.state.with_suffix(".new")
        draft.write_text(text)
        draft.replace(self.state)

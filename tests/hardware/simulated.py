"""NVIDIA's library, simulated."""

import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("nvml_sim.c")


def compile_nvml(compiler: str, folder: Path, *definitions: str) -> Path:
    """Compiles the simulator into a folder, and returns the library, under the name that the binding asks for."""
    library = folder / "libnvidia-ml.so.1"
    flags = ["-O1", "-shared", "-fPIC", "-pthread", f"-Wl,-soname,{library.name}"]
    subprocess.run([compiler, *flags, *definitions, "-o", library, SOURCE], check=True)
    return library


def environment(library: Path, state: Path) -> dict[str, str]:
    """The environment of a process that is to take the simulator for the driver's library."""
    return os.environ | {"LD_LIBRARY_PATH": str(library.parent), "NVML_SIM": str(state)}


class SimulatedNvml:
    """The library that the binding calls, and the state that it answers from."""

    def __init__(self, library: Path, state: Path) -> None:
        self.library = library
        self.state = state

    def write(self, text: str) -> None:
        """Makes this the state from the next call on."""
        draft = self.state.with_suffix(".new")
        draft.write_text(text)
        draft.replace(self.state)

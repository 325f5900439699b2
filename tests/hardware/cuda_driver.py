"""The CUDA driver's library, simulated, and its fixtures."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("cuda_sim.c")
DIGITS = ("8932f937d72c4106c12f20bd9faed9f6", "00112233445566778899aabbccddeeff")
UUIDS = ("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", "GPU-00112233-4455-6677-8899-aabbccddeeff")


class Driver:
    """The simulated library, its state, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.state, self.log = folder / "cuda.txt", folder / "cuda.log"

    def write(self, text: str) -> None:
        self.state.write_text(text)
        self.log.unlink(missing_ok=True)

    def asked(self) -> list[tuple[str, int]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(name, int(value)) for name, value in (line.split() for line in lines)]

    def gave_all_back(self) -> bool:
        count = Counter(name for name, _ in self.asked())
        pairs = (("alloc", "free"), ("retain", "release"), ("event", "unevent"), ("stream", "unstream"))
        return all(count[took] == count[gave] for took, gave in pairs)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compiles the library, under the names of CUDA's and NVML's, and returns its folder."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")

    def build(*definitions: str) -> Path:
        folder = tmp_path_factory.mktemp("cuda")
        subprocess.run(
            [compiler, "-O1", "-shared", "-fPIC", *definitions, "-o", folder / "libcuda.so.1", SOURCE], check=True
        )
        (folder / "libnvidia-ml.so.1").symlink_to("libcuda.so.1")
        return folder

    return build


@pytest.fixture(scope="session")
def library(build: Callable[..., Path]) -> Path:
    return build()


@pytest.fixture
def driver(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """What a child finds in the place of the driver."""
    driver = Driver(tmp_path)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(library))
    monkeypatch.setenv("CUDA_SIM", str(driver.state))
    monkeypatch.setenv("CUDA_SIM_LOG", str(driver.log))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return driver

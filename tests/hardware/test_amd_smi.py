"""AMD's own library, simulated: the functions of amdsmi 7.0.2 with the answers that its documentation gives."""

import sys
from pathlib import Path

import pytest
from llmtop.probes.hardware.amd.smi import smi_facts
from llmtop.probes.sample import Bandwidth

from .amd_machine import AmdMachine

LIBRARY = '''
"""Counts how often it is opened."""
opened = []
def amdsmi_init(flag=None):
    opened.append("open")
def amdsmi_shut_down():
    opened.append("shut")
def amdsmi_get_processor_handles():
    return ["first", "second"]
def amdsmi_get_gpu_device_bdf(handle):
    return {"first": "0000:43:00.0", "second": "0000:0F:00.0"}[handle]
def amdsmi_get_gpu_asic_info(handle):
    if handle == "first":
        raise RuntimeError("AMDSMI_STATUS_NO_PERM")
    return {"market_name": "AMD Radeon RX 9070 XT", "target_graphics_version": "gfx1201", "num_compute_units": 64}
def amdsmi_get_gpu_vram_info(handle):
    return {"vram_type": 22, "vram_vendor": "HYNIX", "vram_bit_width": 256, "vram_max_bandwidth": 644}
'''


def a_library() -> Path:
    """Any library that is loaded already; the real one is not called."""
    lines = Path("/proc/self/maps").read_text("utf-8").splitlines()
    return next(Path(line.split()[-1]) for line in lines if ".so" in line)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/amdsmi.py").write_text(LIBRARY, "utf-8")
    (tmp_path / "rocm/lib").mkdir(parents=True)
    (tmp_path / "rocm/lib/libamd_smi.so").symlink_to(a_library())
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    monkeypatch.setenv("ROCM_PATH", str(tmp_path / "rocm"))
    monkeypatch.delenv("ROCM_HOME", raising=False)
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    return tmp_path


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks for a library as Linux tells")
def test_it_tells_what_kfd_does_not(installed: Path) -> None:
    machine = AmdMachine(installed / "root", "rx9070xt")
    machine.put("@/revision", "0xff")
    card = machine.read()
    assert (card.name, card.architecture, card.cores) == ("AMD Radeon RX 9070 XT", "gfx1201", 4096)
    assert card.memory_type == "GDDR"
    assert card.bandwidth_gbs == Bandwidth(peak=644, basis="driver (amdsmi)")
    assert card.power_w == 55.0
    assert sys.modules["amdsmi"].opened == ["open", "shut"]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks for a library as Linux tells")
def test_it_is_not_asked_when_kfd_tells(installed: Path) -> None:
    AmdMachine(installed / "root", "rx7900xtx").read()
    assert "amdsmi" not in sys.modules


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks for a library as Linux tells")
def test_its_trouble_is_no_trouble(installed: Path) -> None:
    assert smi_facts("0000:43:00.0") is None
    assert sys.modules["amdsmi"].opened == ["open", "shut"]
    assert smi_facts("0000:99:00.0") is None
    assert smi_facts(None) is None
    assert installed.exists()


def test_without_the_library_the_package_is_not_loaded(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (installed / "rocm/lib/libamd_smi.so").unlink()
    assert smi_facts("0000:0f:00.0") is None
    assert "amdsmi" not in sys.modules
    assert capsys.readouterr().out == ""

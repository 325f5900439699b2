"""AMD GPUs that sleep, vanish, are reset, hang, or say nonsense."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from llmtop.probes.hardware.amd.probe import AmdProbe
from llmtop.probes.sample import Device, DeviceProcess

from .amd_machine import AmdMachine, mi300x
from .recorded import forbidding


def only(probe: AmdProbe) -> Device:
    (device,) = probe.read().devices
    return device


def recording(seen: list[Path], read: Callable[..., str] = Path.read_text) -> Callable[..., str]:
    def spied(path: Path, *arguments: str) -> str:
        seen.append(path)
        return read(path, *arguments)

    return spied


def test_sleeping_card_is_let_sleep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = AmdMachine(tmp_path, "rx7600s")
    probe = machine.probe()
    seen: list[Path] = []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", recording(seen))
        card = only(probe)
    assert card.problem == "it sleeps: nothing runs on it"
    assert (card.pci_id, card.memory_total_bytes) == ("1002:7480", 8573157376)
    assert (card.power_w, card.memory_used_bytes, card.utilization) == (None, None, None)
    asked = {path.name for path in seen}
    assert "runtime_status" in asked
    waking = {"gpu_busy_percent", "gpu_metrics", "power1_average", "temp1_input", "power1_cap", "current_link_speed"}
    assert not asked & waking
    machine.put("@/power/runtime_status", "active")
    machine.now += 1
    card = only(probe)
    assert card.problem is None
    assert (card.power_w, card.power_limit_w, card.temperature_c) == (1.0, 95.0, 53.0)


def test_idle_card_is_left_alone_until_it_could_sleep(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7600s")
    machine.put("@/power/runtime_status", "active")
    probe = machine.probe()
    assert only(probe).power_w == 1.0
    power = "@/hwmon/hwmon5/power1_average"
    machine.put(power, "7000000")
    machine.now += 6
    assert only(probe).power_w == 1.0, "6 s later it may have fallen asleep, had nobody looked"
    machine.now += 5
    assert only(probe).power_w == 7.0
    machine.put(power, "50000000")
    machine.put("@/mem_info_vram_used", "12582913")
    machine.now += 1
    assert only(probe).power_w == 50.0, "somebody has begun to use it"


def test_idle_card_with_a_model_on_it_is_read_each_time(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7600s")
    machine.put("@/power/runtime_status", "active")
    machine.put("@/mem_info_vram_used", f"{300 << 20}")
    probe = machine.probe()
    only(probe)
    machine.put("@/hwmon/hwmon5/power1_average", "50000000")
    machine.now += 1
    assert only(probe).power_w == 50.0


def test_card_that_may_not_sleep_is_read_each_time(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "vega56")
    probe = machine.probe()
    assert only(probe).power_w == 8.0
    machine.put("@/hwmon/hwmon4/power1_average", "9000000")
    machine.now += 1
    assert only(probe).power_w == 9.0


def test_unplugged_card_is_told_and_comes_back(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    probe = machine.probe()
    assert only(probe).power_w == 68.0
    away = tmp_path / "away"
    shutil.move(machine.card, away)
    machine.now += 1
    card = only(probe)
    assert card.problem == "it is gone: unplugged, or its driver has been unloaded"
    assert (card.pci_id, card.power_w) == ("1002:744c", None)
    shutil.move(away, machine.card)
    machine.now += 1
    assert only(probe).power_w == 68.0


def test_card_that_is_plugged_in_is_found(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    probe = machine.probe()
    assert len(probe.read().devices) == 1
    machine.load("rx9070xt")
    assert len(probe.read().devices) == 1
    machine.now += 61
    assert [card.pci_id for card in probe.read().devices] == ["1002:744c", "1002:7550"]


def test_card_that_is_being_reset_says_so(tmp_path: Path) -> None:
    """All sensors answer EPERM then (amdgpu_in_reset); the memory in use is counted elsewhere."""
    machine = AmdMachine(tmp_path, "rx7900xtx")
    probe = machine.probe()
    only(probe)
    hidden = tmp_path / "hidden"
    shutil.move(machine.card / "hwmon/hwmon8", hidden)
    (machine.card / "gpu_busy_percent").unlink()
    machine.now += 1
    card = only(probe)
    assert card.problem is not None and "reset" in card.problem
    assert (card.power_w, card.memory_used_bytes) == (None, None)
    shutil.move(hidden, machine.card / "hwmon/hwmon8")
    machine.now += 1
    assert only(probe).power_w == 68.0


def test_sensor_that_vanishes_is_unknown(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    probe = machine.probe()
    only(probe)
    (machine.card / "hwmon/hwmon8/power1_average").unlink()
    (machine.card / "hwmon/hwmon8/power1_cap").unlink()
    machine.now += 1
    card = only(probe)
    assert (card.power_w, card.power_limit_w, card.power_limit_max_w, card.temperature_c) == (None, None, 333.0, 53.0)


@pytest.mark.parametrize("text", ["", "\x00\x00", "N/A", "4 5", "-", "9" * 5000])
def test_nonsense_is_unknown(tmp_path: Path, text: str) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    for name in ("power1_average", "power1_cap", "power1_cap_max", "temp1_input", "freq1_input"):
        machine.put(f"@/hwmon/hwmon8/{name}", text)
    for name in ("gpu_busy_percent", "mem_info_vram_total", "revision", "gpu_metrics", "unique_id"):
        machine.put(f"@/{name}", text)
    machine.put("sys/class/kfd/kfd/topology/nodes/1/mem_banks/0/properties", f"width {text}\n{text}")
    card = machine.read()
    assert (card.power_w, card.power_limit_w, card.power_limit_max_w, card.sm_clock_mhz) == (None, None, None, None)
    assert (card.utilization, card.memory_total_bytes, card.bandwidth_gbs.peak) == (None, None, None)
    assert (card.temperature_c, card.hotspot_c) == (61.0, 61.0), "the hottest spot stands in"


def test_nothing_but_the_driver(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path)
    machine.put("sys/class/drm/card0/device/uevent", "DRIVER=amdgpu")
    card = machine.read()
    assert (card.name, card.pci_id, card.memory_total_bytes, card.power_w) == ("AMD GPU", None, None, None)
    assert len(card.unread) == 1
    assert card.unread[0].startswith("power, clocks and temperatures: the driver shows no sensors (")


def test_files_that_may_not_be_read_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    machine.names()
    names = ("power1_average", "properties", "amdgpu.ids", "gpu_busy_percent", "mem_info_vram_used")
    monkeypatch.setattr(Path, "read_text", forbidding(*names))
    card = machine.read()
    assert (card.power_w, card.utilization, card.memory_used_bytes, card.cores) == (None, None, None, None)
    assert (card.name, card.hotspot_c) == ("AMD GPU 1002:744c", 61.0)


def test_limit_says_whether_this_user_may_change_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    asked: list[str] = []

    def access(path: Path, _mode: int) -> bool:
        asked.append(Path(path).name)
        return False

    monkeypatch.setattr("os.access", access)
    assert machine.read().limits[0].writable is False
    assert asked == ["power1_cap"]


def test_card_that_hangs_delays_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = AmdMachine(tmp_path)
    for index in range(2):
        machine.load("mi300x", **mi300x(index))
    probe = AmdProbe(root=tmp_path, clock=time.monotonic, patience_s=0.2)
    released = Event()
    hanging = mi300x(1)["bus"]
    read = Path.read_text

    def blocking(path: Path, *arguments: str) -> str:
        if path.name == "power1_input" and f"hwmon{mi300x(1)['card']}" in str(path):
            released.wait(20)
        return read(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", blocking)
        before = time.monotonic()
        first, second = probe.read().devices
        assert time.monotonic() - before < 2
        released.set()
    assert first.power_w == 612.0
    assert second.problem is not None and "does not answer" in second.problem
    assert (second.pci_address, second.name) == (f"0000:{hanging}:00.0", "AMD Instinct MI300X OAM")


def test_second_die_of_a_package_tells_no_power(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "mi50")
    machine.put("@/uevent", "DRIVER=amdgpu\nPCI_ID=1002:740C\nPCI_SLOT_NAME=0000:43:00.0")
    machine.put("@/hwmon/hwmon3/power1_average", "0")
    card = machine.read()
    assert card.power_w is None
    assert card.unread == ("power: this die tells none; that of both stands with the other one",)


def test_card_that_the_container_is_not_given(tmp_path: Path) -> None:
    """Its files are those of the machine, the doors to it are not there."""
    machine = AmdMachine(tmp_path, "rx7900xtx")
    machine.put("@/drm/renderD128/dev", "226:128")
    (remark,) = machine.read().remarks
    assert remark.startswith("no program can use it here: /dev/dri/renderD128 is not there")
    machine.put("dev/dri/renderD128", "")
    assert machine.read().remarks == ()


def test_who_has_a_sleeping_card_open_is_told(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7600s")
    machine.link("sys/class/drm/renderD129/device", str(machine.card))
    machine.put("proc/40/fdinfo/9", "drm-pdev: 0000:03:00.0")
    machine.link("proc/40/fd/9", "/dev/dri/renderD129")
    assert only(machine.probe()).processes == (DeviceProcess(40),)
    (machine.root / "proc/40/fd/9").unlink()
    assert only(machine.probe()).processes == (), "nothing runs on it"


def test_name_of_a_damaged_memory_is_not_shown(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7900xtx")
    machine.names()
    machine.put("@/product_name", "\x02\x7fRX")
    assert machine.read().name == "AMD Radeon RX 7900 XTX"

"""Who holds memory on a card: open files of processes as Linux shows them (Documentation/gpu/drm-usage-stats.rst)."""

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.hardware.drm.client import Engine, drm_client
from llmtop.probes.hardware.drm.processes import DrmProcesses
from llmtop.probes.sample import DeviceProcess

CARD = "0000:03:00.0"
OTHER = "0000:0a:00.0"
MIB = 1 << 20

AMDGPU = """pos:\t0
flags:\t02100002
mnt_id:\t26
ino:\t1062
drm-driver:\tamdgpu
drm-client-id:\t{client}
drm-pdev:\t{card}
pasid:\t32770
drm-total-vram:\t{total} KiB
drm-memory-vram:\t{vram} KiB
drm-memory-gtt: \t{gtt} KiB
drm-memory-cpu: \t0 KiB
amd-evicted-vram:\t0 KiB
drm-engine-gfx:\t{gfx} ns
drm-engine-compute:\t{compute} ns
"""
XE = """drm-driver:\txe
drm-client-id:\t4
drm-pdev:\t0000:03:00.0
drm-total-vram0:\t51200 KiB
drm-resident-vram0:\t40 MiB
drm-resident-gtt:\t384 KiB
drm-cycles-ccs:\t{cycles}
drm-total-cycles-ccs:\t{total}
drm-engine-capacity-ccs:\t4
drm-cycles-rcs:\t0
drm-total-cycles-rcs:\t{total}
"""


class Processes:
    """A root with processes, and a clock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 100.0
        (root / "proc/self").mkdir(parents=True)

    def open(self, pid: int, fd: int, text: str, target: str = "/dev/dri/renderD128") -> None:
        folder = self.root / f"proc/{pid}"
        for name in ("fd", "fdinfo"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        link = folder / f"fd/{fd}"
        if not link.is_symlink():
            link.symlink_to(target)
        (folder / f"fdinfo/{fd}").write_text(text, "utf-8")

    def amd(self, pid: int, *, fd: int = 5, client: int = 7, card: str = CARD, vram: int = 1024, gfx: int = 0) -> None:
        text = AMDGPU.format(client=client, card=card, vram=vram, total=2 * vram, gtt=64, gfx=gfx, compute=gfx // 2)
        self.open(pid, fd, text)

    def reader(self) -> DrmProcesses:
        return DrmProcesses(self.root, lambda: self.now)


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def test_nobody_and_no_proc(processes: Processes, tmp_path: Path) -> None:
    assert processes.reader().read(CARD, ("vram",), 10 * MIB) == ()
    assert DrmProcesses(tmp_path / "nowhere").read(CARD, ("vram",), 0) is None


def test_memory_of_the_regions_that_count(processes: Processes) -> None:
    processes.amd(31, vram=8 * 1024)
    reader = processes.reader()
    assert reader.read(CARD, ("vram",)) == (DeviceProcess(31, 8 * MIB, None),)
    assert reader.read(CARD, ("vram", "gtt")) == (DeviceProcess(31, 8 * MIB + 64 * 1024, None),)
    assert reader.read(OTHER, ("vram",)) == ()


def test_copies_of_one_file_count_once_and_for_the_parent(processes: Processes) -> None:
    processes.amd(31, fd=5, client=7, vram=1024)
    processes.amd(31, fd=6, client=7, vram=1024)
    processes.amd(31, fd=8, client=9, vram=2048)
    processes.amd(40, fd=5, client=7, vram=1024)
    processes.amd(50, fd=5, client=7, vram=512, card=OTHER)
    reader = processes.reader()
    assert reader.read(CARD, ("vram",)) == (DeviceProcess(31, 3 * MIB, None),)
    assert reader.read(OTHER, ("vram",)) == (DeviceProcess(50, MIB // 2, None),), "a number counts on its card"


def test_other_files_are_not_looked_into(processes: Processes) -> None:
    text = AMDGPU.format(client=1, card=CARD, vram=9, total=9, gtt=0, gfx=0, compute=0)
    processes.open(31, 3, text, target="/home/user/notes.txt")
    processes.open(31, 4, "pos:\t0\n", target="/dev/kfd")
    assert processes.reader().read(CARD, ("vram",)) == ()


def test_share_of_the_busiest_engine(processes: Processes) -> None:
    processes.amd(31, client=1, gfx=10_000_000_000)
    processes.amd(32, client=2, gfx=0)
    reader = processes.reader()
    assert [each.utilization for each in reader.read(CARD, ("vram",)) or ()] == [None, None]
    processes.now += 4
    processes.amd(31, client=1, gfx=13_000_000_000)
    found = reader.read(CARD, ("vram",)) or ()
    assert [each.utilization for each in found] == pytest.approx([0.75, 0.0])
    processes.now += 1
    processes.amd(31, client=1, gfx=99_000_000_000)
    assert reader.read(CARD, ("vram",)) == found, "looked at every few seconds only"
    processes.now += 3
    processes.amd(31, client=1, gfx=5_000_000_000)
    shares = [each.utilization for each in reader.read(CARD, ("vram",)) or ()]
    assert shares == [0.0, 0.0], "a count that falls says nothing"


def test_cycles_of_engines_that_count_together(processes: Processes) -> None:
    """xe: 30 of 40 million cycles on each of four engines."""
    processes.open(31, 3, XE.format(cycles=1_000, total=2_000_000))
    reader = processes.reader()
    reader.read(CARD, ("vram",))
    processes.now += 4
    processes.open(31, 3, XE.format(cycles=120_001_000, total=42_000_000))
    found = reader.read(CARD, ("vram",))
    assert found is not None and len(found) == 1
    assert found[0].utilization == pytest.approx(0.75)
    assert found[0].memory_bytes == 40 * MIB, "what lies there, not what it asked for"


def test_process_that_ends_is_forgotten(processes: Processes) -> None:
    processes.amd(31)
    reader = processes.reader()
    assert len(reader.read(CARD, ("vram",)) or ()) == 1
    (processes.root / "proc/31").rename(processes.root / "gone")
    processes.now += 4
    assert reader.read(CARD, ("vram",), 0) == ()


def test_process_that_opens_a_card_late_is_found(processes: Processes) -> None:
    """It is looked at ever more rarely while it has none open, but at least every 64 s."""
    processes.open(31, 3, "pos:\t0\n", target="/dev/null")
    reader = processes.reader()
    for _ in range(100):
        assert reader.read(CARD, ("vram",), 0) == ()
        processes.now += 4
    processes.amd(31)
    for _ in range(17):
        processes.now += 4
        if reader.read(CARD, ("vram",), 0):
            break
    assert [each.pid for each in reader.read(CARD, ("vram",), 0) or ()] == [31]


def forbidden(pid: int) -> Callable[[Path], object]:
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if f"/{pid}/" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    return guarded


def test_processes_of_others_may_hold_what_nobody_is_known_to_hold(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.amd(31)
    reader = processes.reader()
    monkeypatch.setattr(os, "scandir", forbidden(31))
    assert reader.read(CARD, ("vram",), 9_000 * MIB) is None
    assert reader.read(CARD, ("vram",), 200 * MIB) == (), "so little is the driver's own"
    assert reader.read(CARD, ("vram",)) is None, "how much is in use is not known"
    monkeypatch.undo()
    processes.now += 64
    assert reader.read(CARD, ("vram",), 9_000 * MIB) == (DeviceProcess(31, MIB, None),)


def test_threads_share_one_look_and_one_that_hangs_keeps_nobody(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.amd(31)
    reader = processes.reader()
    begun, released = Event(), Event()
    read = Path.read_text
    looks: list[Path] = []

    def slow(path: Path, *arguments: str) -> str:
        looks.append(path)
        begun.set()
        released.wait(20)
        return read(path, *arguments)

    monkeypatch.setattr(Path, "read_text", slow)
    found: list[object] = []
    threads = [Thread(target=lambda: found.append(reader.read(CARD, ("vram",), 0)), daemon=True) for _ in range(2)]
    threads[0].start()
    assert begun.wait(10)
    before = time.monotonic()
    assert reader.read(CARD, ("vram",), 0) is None
    assert time.monotonic() - before < 1
    threads[1].start()
    released.set()
    for thread in threads:
        thread.join(10)
    assert found == [(DeviceProcess(31, MIB, None),)] * 2
    assert len(looks) == 1


def test_who_is_known_is_told_beside_those_who_are_not(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    processes.amd(31)
    processes.amd(40, client=8)
    monkeypatch.setattr(os, "scandir", forbidden(40))
    assert processes.reader().read(CARD, ("vram",), 9_000 * MIB) == (DeviceProcess(31, MIB, None),)


def test_nothing_grows(processes: Processes) -> None:
    reader = processes.reader()
    tracemalloc.start()
    early = late = 0
    for pid in range(100, 400):
        processes.amd(pid, client=pid)
        processes.now += 4
        assert len(reader.read(CARD, ("vram",), 0) or ()) == 1
        (processes.root / f"proc/{pid}").rename(processes.root / f"gone{pid}")
        late = tracemalloc.get_traced_memory()[0]
        early = late if pid == 200 else early
    tracemalloc.stop()
    assert late - early < 200 * 100, "less than 100 bytes for each process that came and went"


def test_client_of_an_old_kernel_is_none() -> None:
    assert drm_client("pdev:\t0000:03:00.0\npasid:\t3\nvram mem:\t100 kB\ngfx0:\t1.5%\n") is None
    assert drm_client("") is None


def test_what_a_client_tells() -> None:
    client = drm_client(XE.format(cycles=5, total=9))
    assert client is not None
    assert client.memory == {"vram0": 40 * MIB, "gtt": 384 * 1024}
    assert client.engines == {"ccs": Engine(5, 9, 4), "rcs": Engine(0, 9, 1)}


@given(st.text(max_size=300))
def test_any_text_is_a_client_or_none(text: str) -> None:
    drm_client(f"drm-pdev: {CARD}\ndrm-client-id: 1\ndrm-engine-{text}\ndrm-memory-vram: {text}\n{text}")


def test_nothing_is_asked_of_a_card_that_sleeps(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.amd(40)
    power = tmp_path / "sys/class/drm/renderD128/device/power"
    power.mkdir(parents=True)
    (power / "runtime_status").write_text("suspended\n")
    reader = DrmProcesses(tmp_path, lambda: processes.now)
    assert not reader.read(CARD, {"vram"}, 0)
    (power / "runtime_status").write_text("active\n")
    processes.now += 100.0
    assert reader.read(CARD, {"vram"}, 0) == (DeviceProcess(40, 1 << 20, None),)


def test_who_has_a_card_open_that_sleeps(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.amd(40)
    folder = tmp_path / "sys/devices" / CARD
    (folder / "power").mkdir(parents=True)
    (folder / "power/runtime_status").write_text("suspended\n")
    (tmp_path / "sys/class/drm/renderD128").mkdir(parents=True)
    (tmp_path / "sys/class/drm/renderD128/device").symlink_to(folder)
    reader = processes.reader()
    assert reader.holding_asleep(CARD) == (DeviceProcess(40),)
    assert reader.holding_asleep("0000:99:00.0") == ()


def test_an_old_look_says_nothing_of_now(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of a card that hangs is in the middle of the next look, for a minute."""
    processes.amd(31)
    reader = processes.reader()
    assert reader.read(CARD, ("vram",), 0) == (DeviceProcess(31, MIB, None),)
    begun, released = Event(), Event()

    def stuck(path: Path, *arguments: str) -> str:
        begun.set()
        released.wait(20)
        raise OSError(5, str(path), *arguments)

    monkeypatch.setattr(Path, "read_text", stuck)
    processes.now += 5
    Thread(target=lambda: reader.read(CARD, ("vram",), 0), daemon=True).start()
    assert begun.wait(10)
    assert reader.read(CARD, ("vram",), 0) == (DeviceProcess(31, MIB, None),)
    processes.now += 60
    assert reader.read(CARD, ("vram",), 0) is None
    released.set()

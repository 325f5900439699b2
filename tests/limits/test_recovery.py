"""What is put back at the next start, and what is left."""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs
import pytest
from llmtop.probes.limits.contract import Address
from llmtop.probes.limits.folder import SYSTEM, state_folder, state_folders
from llmtop.probes.limits.journal import Entry, Journal, State
from llmtop.probes.limits.left import journals_left
from llmtop.probes.limits.recovery import recover

from ..hardware.simulated import PACKAGES, SimulatedNvml
from .tuner import Tuner, uuid
from .waiting import journals

NOON = time.mktime((2026, 3, 1, 12, 2, 0, 0, 0, -1))


def left(
    folder: Path,
    *,
    index: int = 0,
    original_w: float = 450,
    written_w: float | None = 300,
    pending_w: float | None = None,
) -> Path:
    """A journal of a process that is dead."""
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(["true"])
    process.wait()
    entry = Entry(
        address=Address(kind="nvml", at=uuid(index)),
        device=f"nvidia{index}",
        name=f"RTX {index}",
        original_w=original_w,
        written_w=written_w,
        pending_w=pending_w,
    )
    journal = Journal(folder / f"tune-{process.pid}-{index}.json")
    journal.write(State(pid=process.pid, at=NOON, entries=(entry,)))
    return journal.path


def test_put_back_and_said(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    left(folder)
    nvml.set_limit(0, 300)
    assert recover(folders=[folder]) == (
        "RTX 0: power limit put back to 450 W; an llmtop that tuned it was cut off after 12:02 on 2026-03-01",
    )
    assert nvml.limits == {0: 450}
    assert journals(folder) == []


@pytest.mark.parametrize(("now_w", "back"), [(300, True), (280, True), (283, True), (290, False), (451, False)])
def test_only_what_llmtop_set_is_put_back(nvml: SimulatedNvml, folder: Path, now_w: float, *, back: bool) -> None:
    """It stood at 300 W, and 280 W were being written, which a driver may round."""
    nvml.write("gpu 0\n")
    left(folder, pending_w=280)
    nvml.set_limit(0, now_w)
    (sentence,) = recover(folders=[folder])
    assert nvml.limits == {0: 450 if back else now_w}
    assert journals(folder) == []
    words = "put back to 450 W" if back else f"left at {now_w:g} W, which somebody set since"
    assert words in sentence


def test_what_is_back_already_is_not_worth_a_word(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    left(folder)
    assert recover(folders=[folder]) == ()
    assert nvml.limits == {}
    assert journals(folder) == []


def test_who_may_not_is_told_the_command_each_time(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\nerror SetPowerManagementLimit 4\n")
    left(folder)
    nvml.set_limit(0, 300)
    for _ in range(2):
        (sentence,) = recover(folders=[folder])
        assert sentence.endswith("left its power limit changed; sudo nvidia-smi -i 0 -pl 450 puts it back")
    assert len(journals(folder)) == 1


def test_a_gpu_that_is_not_there_waits(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    left(folder, index=3)
    assert recover(folders=[folder]) == ()
    (sentence,) = recover(folders=[folder], everything=True)
    assert sentence.endswith("it was to be put back to 450 W")
    assert len(journals(folder)) == 1
    nvml.write("gpu 3\n")
    nvml.set_limit(3, 300)
    assert len(recover(folders=[folder])) == 1
    assert nvml.limits == {3: 450}


def test_one_that_tunes_now_is_left_alone(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        began = time.monotonic()
        assert recover(folders=[folder]) == ()
        assert time.monotonic() - began < 1
        (sentence,) = recover(folders=[folder], everything=True)
        assert f"another llmtop (pid {tuner.process.pid}) is tuning it" in sentence
        assert nvml.limits == {0: 300}


def test_what_is_no_journal(folder: Path) -> None:
    folder.mkdir()
    (folder / "tune-1-x.json").write_text('{"pid": 1')
    assert recover(folders=[folder]) == ()
    (sentence,) = recover(folders=[folder], everything=True)
    assert sentence.startswith(f"{folder}/tune-1-x.json is no journal")


def test_what_somebody_else_wrote_does_not_count(folder: Path) -> None:
    path = left(folder)
    assert journals_left([folder]) == [path]
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.chown(path, 12345, 12345)
    assert journals_left([folder]) == []


def test_nothing_left_costs_nothing(folder: Path) -> None:
    folder.mkdir()
    times: list[float] = []
    for _ in range(200):
        began = time.perf_counter()
        assert journals_left([folder, folder / "none"]) == []
        times.append(time.perf_counter() - began)
    assert min(times) < 0.3e-3


def test_looking_imports_nothing_heavy() -> None:
    heavy = ("pynvml", "platformdirs", "ctypes", "numpy", "psutil", "subprocess")
    program = f"import sys, llmtop.probes.limits.left; print(len(set({heavy!r}) & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(PACKAGES)}, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "0"


def test_the_folder_is_where_states_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "llmtop" == platformdirs.user_state_path("llmtop")
    assert state_folders() == (tmp_path / "llmtop", SYSTEM)
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    if sys.platform == "linux":
        assert state_folder() == platformdirs.user_state_path("llmtop")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state_folders() == (SYSTEM,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_root_left_is_told_to_others(folder: Path) -> None:
    """A user can neither set the limit nor lock in the folder of root, and hears what to type."""
    with TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        cap = place / "power1_cap"
        cap.write_text("250000000\n")
        path = place / "root/tune-999999999-1.json"
        path.parent.mkdir(mode=0o755)
        address = Address(kind="file", at=str(cap))
        entry = Entry(address=address, device="amd0", name="RX 7900 XTX", original_w=303, written_w=250)
        Journal(path).write(State(pid=999_999_999, at=NOON, entries=(entry,)))
        program = (
            "import encodings.ascii, os, sys\nfrom pathlib import Path\n"
            "from llmtop.probes.limits.recovery import recover\n"
            "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)\n"
            "print(*recover(folders=[Path(sys.argv[1])]), sep='\\n')"
        )
        told = subprocess.run(
            [sys.executable, "-c", program, str(path.parent)],
            env={"PYTHONPATH": str(PACKAGES)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert told == (
            "RX 7900 XTX: an llmtop that tuned it was cut off after 12:02 on 2026-03-01 and left its power limit "
            f"changed; echo 303000000 | sudo tee {cap} puts it back\n"
        )
        assert path.exists()
        assert len(recover(folders=[path.parent])) == 1
        assert cap.read_text() == "303000000\n"
        assert not path.exists()
    assert not folder.exists()

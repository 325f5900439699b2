"""Limits on loan, in this process; the watchdog is a real one."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from llmtop.probes.limits.borrowed import Borrowed
from llmtop.probes.limits.contract import Forbidden, Limit, LimitError
from llmtop.probes.limits.file import FileLimit, lasting
from llmtop.probes.limits.journal import Journal

from ..hardware.simulated import SimulatedNvml
from .tuner import Tuner, gpu
from .waiting import journals, running, until


def test_set_and_given_back(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\nlimit 420000\nset_step 5000\ngpu 1\n")
    with Borrowed([gpu(0), gpu(1)], folder) as borrowed:
        assert borrowed.originals_w == borrowed.current_w() == (420, 450)
        assert nvml.limits == {}
        assert journals(folder) == []
        assert borrowed.set([303, 200]) == (300, 200)
        assert borrowed.current_w() == (300, 200)
        (path,) = journals(folder)
        assert path.stat().st_mode & 0o777 == 0o644
        state = Journal(path).read()
        assert state is not None and state.pid == os.getpid()
        assert [(each.original_w, each.written_w, each.pending_w) for each in state.entries] == [
            (420, 300, None),
            (450, 200, None),
        ]
        borrowed.restore()
        assert borrowed.current_w() == (420, 450)
        assert journals(folder) == []
        borrowed.set([250, 250])
    assert nvml.limits == {0: 420, 1: 450}
    assert journals(folder) == []
    assert not running(folder)
    assert borrowed.remarks == ()


def test_an_exception_gives_back(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")

    def interrupted() -> None:
        with Borrowed([gpu(0)], folder) as borrowed:
            borrowed.set([300])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert nvml.limits == {0: 450}


@pytest.mark.parametrize(
    "trouble", ["error SetPowerManagementLimit 4", "error SetPowerManagementLimit 999", "set_deaf 1"]
)
def test_the_second_refuses_and_the_first_is_put_back(nvml: SimulatedNvml, folder: Path, trouble: str) -> None:
    nvml.write(f"gpu 0\ngpu 1\n{trouble}\n")
    with Borrowed([gpu(0), gpu(1)], folder) as borrowed:
        with pytest.raises(LimitError, match=r"^RTX 1: "):
            borrowed.set([300, 300])
        assert nvml.limits == {0: 450}
        assert journals(folder) == []
        nvml.write("gpu 0\ngpu 1\n")
        assert borrowed.set([310, 310]) == (310, 310)
    assert nvml.limits == {0: 450, 1: 450}


def test_one_that_takes_another_value_is_put_back_from_there(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\nset_step 50000\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        with pytest.raises(LimitError, match="was to be 340 W and became 300 W"):
            borrowed.set([340])
        assert nvml.limits == {0: 450}


def test_without_permission_nothing_is_changed(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\nerror SetPowerManagementLimit 4\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        with pytest.raises(Forbidden, match="sudo nvidia-smi -i 0 -pl 300 sets it"):
            borrowed.set([300])
        assert journals(folder) == []
    assert nvml.limits == {}


def test_kept(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\ngpu 1\n")
    with Borrowed([gpu(0), gpu(1)], folder) as borrowed:
        borrowed.set([300, 310])
        assert borrowed.keep() == ("sudo nvidia-smi -i 0 -pl 450", "sudo nvidia-smi -i 1 -pl 450")
    assert nvml.limits == {0: 300, 1: 310}
    assert journals(folder) == []


def test_what_was_kept_and_set_again_is_given_back(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        borrowed.set([300])
        borrowed.keep()
        borrowed.set([310])
        assert len(journals(folder)) == 1
    assert nvml.limits == {0: 450}


def test_what_somebody_else_set_is_left(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        borrowed.set([300])
        nvml.set_limit(0, 380)
    assert nvml.limits == {0: 380}
    assert borrowed.remarks == ("RTX 0: somebody set its power limit to 380 W meanwhile; it is left there",)


def test_what_somebody_set_before_the_first_write_is_what_it_goes_back_to(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        nvml.set_limit(0, 380)
        borrowed.set([300])
        assert borrowed.originals_w == (380,)
    assert nvml.limits == {0: 380}


def test_a_gpu_that_vanishes_is_one_line_and_stays_in_the_journal(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\ngpu 1\n")
    with Borrowed([gpu(0), gpu(1)], folder) as borrowed:
        borrowed.set([300, 300])
        nvml.write("gpu 0\nerror * 15\ngpu 1\n")
        with pytest.raises(LimitError, match=r"^RTX 0: it fell off the bus"):
            borrowed.set([280, 280])
        assert nvml.limits[1] == 450
        (remark,) = borrowed.remarks
        assert remark.startswith(
            "RTX 0: it fell off the bus; reboot or reset it; its power limit cannot be put back to 450"
        )
        assert len(journals(folder)) == 1
        nvml.write("gpu 0\ngpu 1\n")
    assert nvml.limits == {0: 450, 1: 450}


def test_two_at_once(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\ngpu 1\n")
    with Tuner(nvml.state, folder) as tuner:
        pid = tuner.process.pid
        wanted = rf"^RTX 0: another llmtop \(pid {pid}\) is tuning it; end that one first$"
        with pytest.raises(LimitError, match=wanted), Borrowed([gpu(1), gpu(0)], folder):
            pass
        # The other card is free, and both journals stand side by side.
        with Borrowed([gpu(1)], folder) as borrowed:
            tuner.set(300)
            borrowed.set([310])
            assert len(journals(folder)) == 2
            assert nvml.limits == {0: 300, 1: 310}
        assert nvml.limits == {0: 300, 1: 450}
        assert tuner.ask("end")["ended"] is True
    assert nvml.limits == {0: 450, 1: 450}
    with Borrowed([gpu(0)], folder):
        pass


def test_a_limit_that_cannot_be_read(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\ngpu 1\nerror * 15\n")
    with pytest.raises(LimitError, match=r"^RTX 1: it fell off the bus"), Borrowed([gpu(0), gpu(1)], folder):
        pass
    with Borrowed([gpu(0)], folder):
        pass


def test_no_watchdog_no_change(nvml: SimulatedNvml, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.write("gpu 0\n")
    monkeypatch.setattr(sys, "executable", str(folder / "no-python"))
    with pytest.raises(LimitError, match="the watchdog cannot be started"), Borrowed([gpu(0)], folder):
        pass


def test_a_watchdog_that_cannot_be_replaced(nvml: SimulatedNvml, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.write("gpu 0\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        borrowed.set([300])
        monkeypatch.setattr(sys, "executable", str(folder / "no-python"))
        os.kill(borrowed.watchdog_pid or 0, signal.SIGKILL)
        until(lambda: nvml.limits == {0: 450}, "the limit of before")
        for use in (borrowed.tick, lambda: borrowed.set([300])):
            with pytest.raises(LimitError, match="the watchdog cannot be started"):
                use()
    assert nvml.limits == {0: 450}
    assert journals(folder) == []


def test_a_watchdog_that_stands_still_is_replaced(nvml: SimulatedNvml, folder: Path) -> None:
    """Told more than a pipe holds, it reads nothing."""
    nvml.write("gpu 0\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        still = borrowed.watchdog_pid or 0
        os.kill(still, signal.SIGSTOP)
        for step in range(1000):
            borrowed.set([300 + step % 2])
            if borrowed.watchdog_pid != still:
                break
        assert borrowed.remarks
        assert borrowed.watchdog_pid not in {still, None}
    assert nvml.limits == {0: 450}


def test_no_journal_no_change(nvml: SimulatedNvml, folder: Path) -> None:
    """The disk takes nothing: a folder stands where the draft of the journal would be written."""
    nvml.write("gpu 0\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        borrowed.set([300])
        (path,) = journals(folder)
        borrowed.restore()
        (folder / f".{path.name}.new").mkdir()
        with pytest.raises(LimitError, match="takes no journal"):
            borrowed.set([300])
        assert nvml.limits == {0: 450}
        (folder / f".{path.name}.new").rmdir()


def test_a_folder_that_cannot_be_made(nvml: SimulatedNvml, tmp_path: Path) -> None:
    nvml.write("gpu 0\n")
    (tmp_path / "file").write_text("")
    with pytest.raises(LimitError, match="cannot be made"), Borrowed([gpu(0)], tmp_path / "file/state"):
        pass


def test_files_and_gpus_together(nvml: SimulatedNvml, folder: Path, tmp_path: Path) -> None:
    nvml.write("gpu 0\n")
    file = tmp_path / "power1_cap"
    file.write_text("303000000\n")
    limits: list[Limit] = [FileLimit(lasting(file), "amd0", "RX"), gpu(0)]
    with Borrowed(limits, folder) as borrowed:
        assert borrowed.set([250, 300]) == (250, 300)
    assert file.read_text() == "303000000\n"
    assert nvml.limits == {0: 450}


def test_the_watchdog_is_small_and_asleep(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Borrowed([gpu(0)], folder) as borrowed:
        borrowed.set([300])
        proc = Path(f"/proc/{borrowed.watchdog_pid}")
        mapped = (proc / "maps").read_text()
        assert not [name for name in ("numpy", "textual", "rich") if f"/{name}/" in mapped]
        anonymous = next(line for line in (proc / "status").read_text().splitlines() if line.startswith("RssAnon"))
        assert int(anonymous.split()[1]) < 30_000
        until(lambda: (proc / "stat").read_text().split()[2] == "S", "its sleep")
        spent = (proc / "stat").read_text().split()[13:15]
        time.sleep(0.3)
        assert (proc / "stat").read_text().split()[13:15] == spent

"""However llmtop ends, its watchdog puts the limits back, within 2 seconds."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from llmtop.probes.limits.lock import DeviceLock, Locked
from llmtop.probes.limits.recovery import recover

from ..hardware.simulated import SimulatedNvml, limits_file
from .tuner import Tuner, gpu
from .waiting import journals, running, until

WITHIN_S = 2.0


def back(nvml: SimulatedNvml, tuner: Tuner, *watts: float, folder: Path) -> None:
    """Waits until the limits are those, and looks at the time at which the last was set."""
    until(lambda: nvml.limits == dict(enumerate(watts)), f"{watts}, not {nvml.limits}")
    assert limits_file(nvml.state).stat().st_mtime - tuner.ended_at < WITHIN_S
    until(lambda: not running(folder), "the end of the watchdog")
    assert nvml.limits == dict(enumerate(watts))
    assert journals(folder) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT])
def test_a_signal_that_ends_it(nvml: SimulatedNvml, folder: Path, number: int) -> None:
    nvml.write("gpu 0\nlimit 420000\ngpu 1\n")
    with Tuner(nvml.state, folder, 2) as tuner:
        assert tuner.set(300, 200) == [300, 200]
        assert nvml.limits == {0: 300, 1: 200}
        assert len(journals(folder)) == 1
        tuner.end_by(number)
        back(nvml, tuner, 420, 450, folder=folder)


def test_limits_that_are_files(nvml: SimulatedNvml, folder: Path, tmp_path: Path) -> None:
    """A GPU of AMD, whose number changes before it is put back, a package, and one of NVIDIA."""
    nvml.write("gpu 0\n")
    card, zone = tmp_path / "0000:0d:00.0/hwmon", tmp_path / "intel-rapl:0"
    files = [card / "hwmon4/power1_cap", zone / "constraint_0_power_limit_uw"]
    for file, text in zip(files, ("303000000\n", "225000000\n"), strict=True):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    with Tuner(nvml.state, folder, files=files) as tuner:
        assert tuner.set(300, 250, 180) == [300, 250, 180]
        (card / "hwmon4").rename(card / "hwmon5")
        tuner.end_by(signal.SIGKILL)
        back(nvml, tuner, 450, folder=folder)
    assert (card / "hwmon5/power1_cap").read_text() == "303000000\n"
    assert files[1].read_text() == "225000000\n"


def test_its_terminal_is_closed(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder, terminal=True) as tuner:
        tuner.set(300)
        tuner.ended_at = time.time()
        tuner.hang_up()
        tuner.process.wait(20)
        back(nvml, tuner, 450, folder=folder)


def test_all_of_its_session_is_killed(nvml: SimulatedNvml, folder: Path) -> None:
    """The watchdog is in a session of its own."""
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder, terminal=True) as tuner:
        tuner.set(300)
        assert os.getsid(tuner.watchdog) == tuner.watchdog
        tuner.ended_at = time.time()
        os.killpg(tuner.process.pid, signal.SIGKILL)
        tuner.process.wait(20)
        back(nvml, tuner, 450, folder=folder)


def test_the_watchdog_outlives_the_signals_that_end_llmtop(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        watchdog = tuner.watchdog
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            os.kill(watchdog, number)
        tuner.end_by(signal.SIGTERM)
        back(nvml, tuner, 450, folder=folder)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_in_the_middle_of_a_write(nvml: SimulatedNvml, folder: Path, moment: str) -> None:
    """The driver has the new limit already, or does not have it yet, and the write has not returned."""
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(400)
        slow = "delay SetPowerManagementLimit 700\n" if moment == "before" else "set_linger 20000\n"
        nvml.write(f"gpu 0\n{slow}")
        before = journals(folder)[0].read_bytes()
        tuner.order("set 300")
        if moment == "before":
            until(lambda: b'"pending_w":300.0' in journals(folder)[0].read_bytes(), "the journal")
        else:
            until(lambda: nvml.limits == {0: 300}, "the write")
        assert journals(folder)[0].read_bytes() != before
        tuner.end_by(signal.SIGKILL)
        until(lambda: nvml.limits == {0: 450})
        assert limits_file(nvml.state).stat().st_mtime - tuner.ended_at < WITHIN_S
        # The driver may still be busy with the return; what was set stays.
        nvml.write("gpu 0\n")
        for pid in running(folder) if moment == "after" else ():
            os.kill(pid, signal.SIGKILL)
        recover(folders=[folder])
        assert nvml.limits == {0: 450}


def test_killed_in_the_middle_of_a_write_that_the_driver_rounds(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\nset_step 10000\nset_linger 1500\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.order("set 304")
        until(lambda: nvml.limits == {0: 300}, "the write")
        tuner.end_by(signal.SIGKILL)
        back(nvml, tuner, 450, folder=folder)


def test_killed_before_anything_was_set(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.end_by(signal.SIGKILL)
    until(lambda: not running(folder), "the end of the watchdog")
    assert nvml.limits == {}


def test_a_watchdog_that_is_killed_is_replaced(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        first = tuner.watchdog
        os.kill(first, signal.SIGKILL)
        until(lambda: tuner.watchdog not in {first, None}, "another watchdog")
        assert tuner.ask("tell")["remarks"] == [
            "the watchdog that puts the power limits back died; another was started"
        ]
        assert nvml.limits == {0: 300}
        tuner.end_by(signal.SIGKILL)
        back(nvml, tuner, 450, folder=folder)


def test_a_watchdog_that_dies_again_and_again_ends_the_tuning(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)

        def given_up() -> bool:
            watchdog = tuner.ask("tell")["watchdog"]
            if isinstance(watchdog, int):
                with suppress(ProcessLookupError):
                    os.kill(watchdog, signal.SIGKILL)
            return nvml.limits == {0: 450}

        until(given_up, "the limit of before")
        told = tuner.ask("set 300")
        assert told == {"error": "the watchdog dies again and again, so no limit stays changed"}
    assert nvml.limits == {0: 450}


def test_both_are_killed_and_the_next_start_puts_it_back(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        _kill_both(tuner, [tuner.watchdog])
    until(lambda: not running(folder))
    assert nvml.limits == {0: 300}
    (sentence,) = recover(folders=[folder])
    assert sentence.startswith("RTX 0: power limit put back to 450 W; an llmtop that tuned it was cut off after ")
    assert nvml.limits == {0: 450}
    assert journals(folder) == []
    assert recover(folders=[folder]) == ()


@pytest.mark.parametrize("both", [False, True])
def test_killed_at_any_moment(nvml: SimulatedNvml, folder: Path, *, both: bool) -> None:
    """While it sets two GPUs without a pause, with a driver that takes its time before and after."""
    nvml.write("gpu 0\ndelay SetPowerManagementLimit 3\nset_linger 4\ngpu 1\n")
    moment = Random(7)
    for _ in range(8):
        with Tuner(nvml.state, folder, 2) as tuner:
            watchdog = tuner.watchdog
            for _ in range(30):
                tuner.order(f"set {moment.randint(200, 440)} {moment.randint(200, 440)}")
            time.sleep(moment.random() * 0.25)
            _kill_both(tuner, [watchdog] if both else [])
            until(lambda: not running(folder), "the end of the watchdog")
            recover(folders=[folder])
            assert set(nvml.limits.values()) <= {450}
            assert journals(folder) == []


def test_a_new_one_puts_back_what_both_left_before_it_takes_over(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        _kill_both(tuner, [tuner.watchdog])
    with Tuner(nvml.state, folder) as tuner:
        assert tuner.first["originals"] == [450]


def test_the_folder_is_gone(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        folder.rename(folder.with_name("elsewhere"))
        tuner.end_by(signal.SIGKILL)
        back(nvml, tuner, 450, folder=folder)


def test_somebody_else_set_it_meanwhile(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        nvml.set_limit(0, 380)
        tuner.end_by(signal.SIGKILL)
    until(lambda: not running(folder), "the end of the watchdog")
    assert nvml.limits == {0: 380}
    assert journals(folder) == []


def test_a_driver_that_refuses_for_a_while_is_asked_again(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        nvml.write("gpu 0\nerror SetPowerManagementLimit 999\n")
        tuner.end_by(signal.SIGKILL)
        time.sleep(0.6)
        assert nvml.limits == {0: 300}
        nvml.write("gpu 0\n")
        until(lambda: nvml.limits == {0: 450})


def test_the_next_one_waits_until_the_watchdog_is_done(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        nvml.write("gpu 0\ndelay SetPowerManagementLimit 800\n")
        tuner.end_by(signal.SIGKILL)
        with pytest.raises(Locked):
            DeviceLock(gpu(0).address, "RTX 0", folder)
    with Tuner(nvml.state, folder) as tuner:
        assert tuner.first["originals"] == [450]


def test_what_is_kept_stays(nvml: SimulatedNvml, folder: Path) -> None:
    nvml.write("gpu 0\n")
    with Tuner(nvml.state, folder) as tuner:
        tuner.set(300)
        assert tuner.ask("keep") == {"commands": ["sudo nvidia-smi -i 0 -pl 450"]}
        assert journals(folder) == []
        tuner.end_by(signal.SIGKILL)
    until(lambda: not running(folder), "the end of the watchdog")
    assert nvml.limits == {0: 300}


def _kill_both(tuner: Tuner, others: Sequence[int]) -> None:
    """The watchdog stands still before, so that it does nothing between the two."""
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    tuner.end_by(signal.SIGKILL)
    for pid in others:
        os.kill(pid, signal.SIGKILL)

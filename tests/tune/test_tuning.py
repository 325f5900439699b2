"""The thread of a tuning on a simulated machine, and over limits that are files: orders in, state out, limits back."""

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from llmtop.estimator.snapshot import EngineView
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.engines.source import EngineSource
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.limits.contract import Limit, LimitError
from llmtop.probes.limits.file import FileLimit
from llmtop.probes.limits.nvml import NvmlLimit
from llmtop.probes.sample import Device
from llmtop.probes.sampler import Sampler
from llmtop.tui.tune.bench import Bench
from llmtop.tui.tune.opening import loads
from llmtop.tui.tune.state import State
from llmtop.tui.tune.target import Target, unmeasured
from llmtop.tui.tune.tuning import Tuning
from llmtop.tui.tune.wish import Wish
from msgspec.structs import replace

from ..hardware.simulated import SimulatedNvml
from ..limits.tuner import uuid
from ..limits.waiting import running as processes
from .curve import curve
from .running import until
from .world import World

STOCK_W = 450.0
DEVICE = Device(id="nvidia0", name="RTX 4090", vendor="NVIDIA", kind="gpu", memory_type="GDDR", uuid=uuid(0))
WISH = Wish(settle_s=0.3, measure_s=3.0, steps=3, keep=0.9)


@pytest.fixture(autouse=True)
def _found(nvml: SimulatedNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog, too, finds the simulated library."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(nvml.library.parent))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    until(lambda: not processes(tmp_path / "state"), "the end of the watchdogs")


def engine(url: str, liveness: str | None = "token") -> EngineView:
    view = EngineView(id=url, engine="llama.cpp", url=url, status="ok", model=None)
    return replace(view, liveness=liveness)


def about(url: str = "", limits: tuple[Limit, ...] | None = None, gpus: int = 1) -> Target:
    devices = tuple(replace(DEVICE, id=f"nvidia{index}", uuid=uuid(index)) for index in range(gpus))
    own = tuple(NvmlLimit(device.uuid or "", device.id, device.name, min_w=230.0, max_w=600.0) for device in devices)
    return Target(
        devices=devices,
        limits=tuple((limit,) for limit in limits or own),
        engine=engine(url) if url else None,
        may_write=True,
    )


@contextmanager
def tuned(world: World, folder: Path, wish: Wish = WISH, gpus: int = 1) -> Generator[Tuning]:
    """A tuning that hears both probes."""
    target = about(world.url, gpus=gpus)
    bench = Bench(target, wish, loads(target, wish, None) if wish.generate else None)
    sampler = Sampler(bench.take)
    sampler.add(EngineSource(Endpoint(url=world.url, explicit=True), interval=0.2))
    sampler.add(NvidiaProbe(period=0.2))
    try:
        with Tuning(target, bench, folder) as tuning:
            yield tuning
    finally:
        sampler.stop()


def seen(tuning: Tuning, holds: Callable[[State], object], what: str) -> State:
    until(lambda: holds(tuning.state), f"{what}: {tuning.state.doing}, {tuning.state.problem}")
    return tuning.state


def obeyed(tuning: Tuning) -> State:
    until(lambda: tuning.idle, "the orders")
    return tuning.state


def test_steps_answer_and_leave_their_points(nvml: SimulatedNvml, folder: Path) -> None:
    published = curve("4090 decode x1")
    with World(nvml.state, load="own", scale=3.0, noise=0.004) as world, tuned(world, folder) as tuning:
        before = seen(tuning, lambda _: tuning.bench.counted, "a stay at the stock limit")
        assert (before.doing, before.limit_w, before.original_w, before.changed) == (
            "watching",
            STOCK_W,
            STOCK_W,
            False,
        )
        time.sleep(2.0)
        tuning.set(425.0)
        tuning.set(400.0)
        state = obeyed(tuning)
        assert (state.limit_w, state.changed) == (400.0, True) and nvml.limits == {0: 400.0}
        tuning.set(100.0)
        assert obeyed(tuning).limit_w == 230.0 == state.lowest_w
        seen(tuning, lambda state: state.now and state.now.power_limit_w == 230.0, "the probe")
        state = seen(tuning, lambda _: len(tuning.bench.counted) >= 2, "the stay at 230 W")
        assert [point.power_limit_w for point in state.points] == [STOCK_W]
        assert len(state.choices) == 1 and state.choices[0].steps[-1].power_limit_w == 230.0
        assert state.choices[0].steps[-1].kept == pytest.approx(
            published.at(230.0).tps / published.at(450.0).tps, abs=0.06
        )
        world.set_limit(300.0)
        state = seen(tuning, lambda state: state.limit_w == 300.0, "what somebody else has set")
        assert [point.power_limit_w for point in state.points] == [STOCK_W, 230.0]
        tuning.set(310.0)
        assert obeyed(tuning).limit_w == 310.0
        tuning.revert()
        state = obeyed(tuning)
        assert (state.limit_w, state.changed, state.problem) == (STOCK_W, False, None)
        tuning.keep()
        assert "nothing to keep" in (obeyed(tuning).problem or "")
    assert nvml.limits == {0: STOCK_W}


def test_a_sweep_apply_and_keep(nvml: SimulatedNvml, folder: Path) -> None:
    with World(nvml.state, load="own", scale=3.0, noise=0.004) as world:
        with tuned(world, folder) as tuning:
            tuning.apply()
            assert "no limit is chosen yet" in (obeyed(tuning).problem or "")
            tuning.sweep()
            state = seen(tuning, lambda state: state.progress, "the sweep")
            assert state.progress is not None and state.progress.stay == 1 and state.progress.left_s > 0
            state = seen(tuning, lambda state: state.doing == "done", "the end of the sweep")
            assert (state.limit_w, state.changed, state.progress) == (STOCK_W, False, None)
            assert nvml.limits == {0: STOCK_W} and state.chosen_w == 340.0
            made = len(state.points)
            time.sleep(0.6)
            assert len(tuning.state.points) == made, "a stay counts once"
            tuning.ask(0.7)
            assert obeyed(tuning).chosen_w == 230.0
            tuning.apply()
            assert obeyed(tuning).limit_w == 230.0
            tuning.keep()
            state = obeyed(tuning)
            assert state.kept == ("sudo nvidia-smi -i 0 -pl 450",) and state.problem is None
        assert tuning.state.kept and tuning.state.limit_w == 230.0
        assert nvml.limits == {0: 230.0}


def test_abort_keeps_the_points_and_puts_it_back(nvml: SimulatedNvml, folder: Path) -> None:
    with World(nvml.state, load="own", scale=3.0, gpus=2) as world, tuned(world, folder, gpus=2) as tuning:
        tuning.sweep()
        state = seen(tuning, lambda state: state.limit_w < STOCK_W, "a lower limit")
        assert nvml.limits == {0: state.limit_w, 1: state.limit_w}
        tuning.abort()
        state = obeyed(tuning)
        assert (state.doing, state.limit_w, len(state.points)) == ("stopped", STOCK_W, 1)
        assert state.choices and state.choices[0].baseline.power_limit_w == STOCK_W
        assert nvml.limits == {0: STOCK_W, 1: STOCK_W}


def test_what_the_driver_refuses(nvml: SimulatedNvml, folder: Path) -> None:
    with World(nvml.state, load="own", scale=3.0) as world, tuned(world, folder) as tuning:
        tuning.set(400.0)
        assert obeyed(tuning).limit_w == 400.0
        world.change(forbid=True)
        until(lambda: "SetPower" in nvml.state.read_text(), "the driver")
        tuning.set(350.0)
        state = obeyed(tuning)
        assert state.denied and "sudo nvidia-smi -i 0 -pl 350" in (state.problem or "")
        assert state.limit_w == 400.0, "it cannot be put back either, and that is seen"
        world.change(forbid=False)
        until(lambda: "SetPower" not in nvml.state.read_text(), "the driver")
        tuning.revert()
        state = obeyed(tuning)
        assert (state.limit_w, state.problem, state.denied) == (STOCK_W, None, False)
        tuning.set(400.0)
        obeyed(tuning)
        world.change(vanish=0)
        until(lambda: "error *" in nvml.state.read_text(), "the driver")
        tuning.set(350.0)
        problem = obeyed(tuning).problem or ""
        assert "fell off the bus" in problem
        tuning.close()
        assert tuning.state.problem == problem and tuning.state.limit_w == 400.0
        assert any("cannot be put back to 450 W" in each for each in tuning.state.remarks)
        world.change(return_=0)
        until(lambda: nvml.limits == {0: STOCK_W}, "the watchdog, which tries on")


def test_two_at_once_do_not_fight(nvml: SimulatedNvml, folder: Path) -> None:
    with World(nvml.state, load="own", scale=3.0) as world, tuned(world, folder) as first:
        first.set(400.0)
        obeyed(first)
        with tuned(world, folder) as second:
            second.sweep()
            state = obeyed(second)
            assert state.progress is None and f"another llmtop (pid {os.getpid()}) is tuning it" in (
                state.problem or ""
            )
        assert nvml.limits == {0: 400.0}


class Files:
    """Power limits that are files, as amdgpu and RAPL have them."""

    def __init__(self, folder: Path, *watts: float) -> None:
        folder.mkdir(exist_ok=True)
        self.paths = [folder / f"constraint_{index}_power_limit_uw" for index in range(len(watts))]
        for path, each in zip(self.paths, watts, strict=True):
            path.write_text(f"{each * 1e6:.0f}\n")

    def limits(self, **more: float) -> tuple[FileLimit, ...]:
        return tuple(FileLimit(str(path), "cpu", f"CPU {index}", **more) for index, path in enumerate(self.paths))

    @property
    def watts(self) -> list[float]:
        return [int(path.read_text()) / 1e6 for path in self.paths]


def test_limits_that_are_files_move_in_step_within_a_floor(tmp_path: Path, folder: Path) -> None:
    files = Files(tmp_path / "rapl", 100.0, 200.0)
    target = about(limits=files.limits(), gpus=2)
    with Tuning(target, Bench(target, WISH), folder) as tuning:
        assert (tuning.state.lowest_w, tuning.state.highest_w, tuning.state.top_w) == (40.0, 100.0, 100.0)
        tuning.set(75.0)
        assert obeyed(tuning).limit_w == 75.0 and files.watts == [75.0, 150.0]
        tuning.set(1.0)
        assert obeyed(tuning).limit_w == 40.0 and files.watts == [40.0, 80.0]
        tuning.sweep()
        assert "no engine runs here" in (obeyed(tuning).problem or "") and tuning.state.progress is None
        assert files.watts == [40.0, 80.0]
    assert files.watts == [100.0, 200.0] and not tuning.state.changed
    assert tuning.idle and tuning.silent_s == 0.0


def test_one_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    files = Files(tmp_path / "rapl", 100.0)
    files.paths[0].write_text("0\n")
    target = about(limits=files.limits())
    with pytest.raises(LimitError, match="switched off"):
        Tuning(target, Bench(target, WISH))


class Hanging(FileLimit):
    """A driver that stops to answer when it is told to."""

    until = 0.0

    def write(self, watts: float) -> float:
        while time.monotonic() < self.until:
            time.sleep(0.05)
        return super().write(watts)


def test_a_driver_that_hangs_stops_nobody_who_looks(tmp_path: Path, folder: Path) -> None:
    files = Files(tmp_path / "rapl", 100.0)
    limit = Hanging(str(files.paths[0]), "cpu", "CPU")
    target = about(limits=(limit,))
    with Tuning(target, Bench(target, WISH), folder) as tuning:
        tuning.set(90.0)
        assert obeyed(tuning).limit_w == 90.0
        limit.until = time.monotonic() + 3.0
        tuning.set(80.0)
        tuning.set(75.0)
        until(lambda: tuning.silent_s > 1.0, "the driver")
        began = time.monotonic()
        assert tuning.state.limit_w == 90.0 and not tuning.idle
        assert time.monotonic() - began < 0.1
        assert obeyed(tuning).limit_w == 75.0
    assert files.watts == [100.0]


def test_a_fault_of_its_own_ends_it_with_a_line_and_the_limit_back(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "log"))
    files = Files(tmp_path / "rapl", 100.0)
    target = about(limits=files.limits())
    with Tuning(target, Bench(target, WISH), folder) as tuning:
        tuning.set(90.0)
        obeyed(tuning)
        assert files.watts == [90.0]
        tuning.bench.take(None)  # type: ignore[arg-type] # what no probe makes
        state = seen(tuning, lambda state: state.problem, "the fault")
        assert "a fault in llmtop itself" in (state.problem or "")
        until(lambda: files.watts == [100.0], "the limit")
        assert tuning.idle


def test_what_cannot_be_measured_is_said_before(nvml: SimulatedNvml, folder: Path) -> None:
    late = replace(engine("http://127.0.0.1:1"), engine="Ollama", liveness="request")
    assert "--load generate" in (unmeasured(late, generate=False) or "")
    assert unmeasured(late, generate=True) is None
    assert unmeasured(None, generate=True) == "no engine runs here, so there is no speed to measure"
    with World(nvml.state) as world:
        wish = replace(WISH, generate=True)
        target = about(world.url)
        bench = Bench(target, wish, loads(target, wish, "ключ"))
        with Tuning(target, bench, folder) as tuning:
            tuning.sweep()
            assert "the API key holds characters" in (obeyed(tuning).problem or "")
            assert tuning.state.progress is None
        assert nvml.limits == {}

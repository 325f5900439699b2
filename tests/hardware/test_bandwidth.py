"""The bandwidth measurement itself, made short: what it counts, not how fast this machine is."""

import tracemalloc
from functools import partial
from itertools import count
from pathlib import Path
from threading import Thread
from time import sleep

import psutil
import pytest
from llmtop.probes.hardware.measured import bandwidth, memory_kernels, race
from llmtop.probes.hardware.measured.memory_kernels import BLOCK_BYTES, READS, WRITES, Kernel, arena, blocks_of


def test_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "_WINDOWS", 2)
    monkeypatch.setattr(bandwidth, "_LAST_WINDOWS", 3)
    monkeypatch.setattr(bandwidth, "_GEMM_S", 0.01)
    monkeypatch.setattr(race, "WARM_UP_S", 0.02)
    monkeypatch.setattr(race, "WINDOW_S", 0.02)
    told: list[float] = []
    measurement = bandwidth.measure(told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)
    assert measurement.kernels_gbs.keys() == {"read", "copy", "add"}
    assert all(gbs > 0.5 for gbs in measurement.kernels_gbs.values())
    assert measurement.best_gbs == measurement.kernels_gbs["read"]
    assert measurement.gemm_tflops > 0
    assert measurement.threads >= 1
    assert measurement.buffer_bytes >= 6 * BLOCK_BYTES
    assert measurement.date.endswith("Z")
    assert measurement.other_work is not None
    assert 0 <= measurement.other_work <= 1


def test_work_is_counted_on_one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "WARM_UP_S", 0.05)
    monkeypatch.setattr(race, "WINDOW_S", 0.1)

    def pause(seconds: float) -> None:
        sleep(seconds)

    rates = race.race([[lambda: pause(0.01)], [lambda: pause(0.02), lambda: pause(0.02)]], 3)
    assert len(rates) == 3
    assert all(60 < rate <= 152 for rate in rates), "100 and 50 a second, less what the system sleeps longer"


@pytest.mark.parametrize("kernel", [*READS, *WRITES], ids=lambda kernel: kernel.steps.__name__)
def test_kernels_walk_all_blocks(kernel: Kernel) -> None:
    memory = arena(6)
    steps = kernel.steps(blocks_of(memory))
    assert len(steps) * kernel.streams == 6
    for step in steps:
        step()
    third = len(memory) // 3
    assert memory[:third].tolist()[:2] == ([2.0, 2.0] if kernel.name == "add" else [1.0, 1.0])
    assert memory[third:].min() == memory[third:].max() == 1.0


def test_the_byte_that_is_sought_is_in_no_block() -> None:
    block = arena(1)[:1024]
    block[:512] = 2.0
    assert memory_kernels.read_libc([block])[0]() is None


def test_short_memory_means_fewer_threads_then_an_error() -> None:
    least = 6 * BLOCK_BYTES
    assert [place.memory.nbytes for place in bandwidth.arenas(64, 9 * least)] == [least, least]
    with pytest.raises(MemoryError, match="384 MiB"):
        bandwidth.arenas(64, 3 * least)


def test_a_container_s_limit_is_what_is_free(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "proc/self/mountinfo").write_text("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    assert bandwidth.free_bytes(tmp_path) == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    (group / "memory.max").write_text("104857600\n")
    (group / "memory.current").write_text("62914560\n")
    assert bandwidth.free_bytes(tmp_path) == 40 << 20
    (group / "memory.current").write_text("104861696\n")
    assert bandwidth.free_bytes(tmp_path) == 0


@pytest.mark.parametrize(("threads", "steps"), [(4, [6, 6, 6, 6]), (2, [12, 12]), (1, [24])])
def test_threads_walk_the_memory_of_their_own_node(threads: int, steps: list[int]) -> None:
    left, right = frozenset({0, 1}), frozenset({2, 3})
    places = [left, right, left, right]
    memory = [bandwidth.Place(arena(6), seat) for seat in places]
    teams = bandwidth.teams(memory, READS[0], places[:threads])
    assert [len(team) for team in teams] == steps
    if threads > 1:
        ends = {place.memory.ctypes.data: place.seat for place in memory}
        for team, seat in zip(teams, places[:threads], strict=True):
            starts = {step.args[0] for step in team if isinstance(step, partial)}
            assert {ends[start] for start in starts if start in ends} == {seat}


def test_spread_is_that_of_the_middle() -> None:
    assert bandwidth.spread([100.0] * 8) == 0
    assert bandwidth.spread([*[100.0] * 19, 1.0]) == 0, "one bad moment does not count"
    assert bandwidth.spread([60.0, 100.0, 100.0, 100.0]) > 0.2


def test_threads_that_the_system_refuses_leave_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Thread] = []
    start = Thread.start

    def second_fails(thread: Thread) -> None:
        if begun:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(Thread, "start", second_fails)
    worked: list[int] = []
    with pytest.raises(RuntimeError, match="can't start new thread"):
        race.race([[lambda: worked.append(1)]] * 2, 1)
    begun[0].join(5)
    assert not begun[0].is_alive()
    assert not worked


def test_the_matrices_stay_below_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = count()
    monkeypatch.setattr(bandwidth, "perf_counter", lambda: next(moments) * 0.04)
    tracemalloc.start()
    try:
        assert bandwidth.gemm_tflops(8 << 20) > 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 13 << 20, "two of 1024 x 1024, and the next one while the last is still there"

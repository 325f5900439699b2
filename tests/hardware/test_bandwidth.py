"""The bandwidth measurement itself, made short: what it counts, not how fast this machine is."""

from time import sleep

import pytest
from llmtop.probes.hardware import bandwidth, memory_kernels, race
from llmtop.probes.hardware.memory_kernels import BLOCK_BYTES, READS, WRITES, Kernel, arena, blocks_of


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


def test_short_memory_means_fewer_threads_then_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    least = 6 * BLOCK_BYTES

    class Memory:
        available = 9 * least

    monkeypatch.setattr("psutil.virtual_memory", Memory)
    assert [part.nbytes for part in bandwidth.arenas(64)] == [least, least]
    Memory.available = 3 * least
    with pytest.raises(MemoryError, match="384 MiB"):
        bandwidth.arenas(64)

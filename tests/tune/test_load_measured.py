"""Load and meter together, by the clock: what clients count at a limit is what was published for it."""

import time
from pathlib import Path
from threading import Lock

import pytest
from llmtop.estimator.tuning.meter import Meter
from llmtop.estimator.tuning.point import Point
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import Sample
from llmtop.probes.sampler import Sampler
from llmtop.tui.tune.load import Load

from ..hardware.simulated import SimulatedNvml
from .curve import curve
from .world import World


def test_decode_and_prefill_at_a_limit(nvml: SimulatedNvml, tmp_path: Path) -> None:
    assert nvml.state.parent == tmp_path
    decode, prefill = curve("3090 decode 27B x1").at(260.0), curve("3090 prefill 27B x1").at(260.0)
    meters = {phase: Meter("", ["nvidia0"], settle_s=1.0, block_s=0.5, phase=phase) for phase in ("decode", "prefill")}
    now = meters["decode"]
    lock = Lock()

    def take(sample: Sample) -> None:
        with lock:
            now.feed(sample)

    def count(at: float, tokens: float) -> None:
        with lock:
            now.count(at, tokens)

    def prompt(at: float, tokens: float, seconds: float) -> None:
        with lock:
            now.prompt(at, tokens, seconds)

    def point() -> Point:
        with lock:
            found = now.point
        assert found is not None
        return found

    words = {"decode": "3090 decode 27B x1", "prefill": "3090 prefill 27B x1"}
    sampler = Sampler(take)
    with World(nvml.state, scale=4.0, noise=0.005, **words) as world:
        world.set_limit(260.0)
        sampler.add(NvidiaProbe(period=0.1))
        with Load(world.url, on_tokens=count, on_prompt=prompt) as load:
            time.sleep(5.0)
            decoded = point()
            now = meters["prefill"]
            load.phase = "prefill"
            time.sleep(5.0)
            read_in = point()
        sampler.stop()
    assert decoded.decode is not None and decoded.prefill is None
    assert decoded.decode.tps == pytest.approx(4 * decode.tps, rel=0.06)
    assert decoded.power_w == pytest.approx(decode.draw_w, rel=0.03)
    assert read_in.prefill is not None and read_in.decode is None
    assert read_in.prefill.tps == pytest.approx(4 * prefill.tps, rel=0.1)
    assert decoded.throttled_share is not None and decoded.throttled_share > 0.9

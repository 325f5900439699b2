"""What is meant: which engine, which devices, and what a person should know of both."""

import pytest
from llmtop.estimator.snapshot import EngineView, Snapshot
from llmtop.probes.device import PowerLimit
from llmtop.probes.limits.file import FileLimit
from llmtop.probes.sample import Device
from llmtop.tui.refusal import Refusal, WrongUsage
from llmtop.tui.tune.ladder import ladder
from llmtop.tui.tune.target import chosen_engine, target
from msgspec.structs import replace

from ..tui.scenes import gpu, llama, mixed, ollama

BOARD = PowerLimit(name="board", where="NVML", value_w=450.0, min_w=150.0, max_w=600.0, default_w=450.0, writable=True)


def card(number: int = 0, *limits: PowerLimit) -> Device:
    return replace(gpu(number), uuid=f"GPU-{number}", limits=limits or (BOARD,))


def box(*engines: EngineView, devices: tuple[Device, ...] = (card(),)) -> Snapshot:
    return replace(mixed(), engines=engines, devices=devices)


def engine(view: EngineView, *devices: str, status: str = "ok") -> EngineView:
    return replace(view, devices=devices, status=status)


def test_the_engine_that_works_is_meant_and_its_devices() -> None:
    snapshot = box(engine(llama(), "nvidia1"), engine(ollama(), status="idle"), devices=(card(0), card(1)))
    found = chosen_engine(snapshot, [])
    assert found is not None and found.id == llama().id
    about = target(snapshot, [], found)
    assert [device.id for device in about.devices] == ["nvidia1"] and about.may_write is True and about.notes == ()
    assert target(snapshot, ["0", "nvidia1"], found).name == "2 x NVIDIA GeForce RTX 4090"


def test_where_it_is_not_clear_it_asks() -> None:
    two = box(engine(llama(), "nvidia0"), engine(ollama(), "nvidia0"), devices=(card(0), card(1)))
    with pytest.raises(WrongUsage, match=r"which engine\? .* name one with --url"):
        chosen_engine(two, [])
    with pytest.raises(WrongUsage, match=r"which device\? nvidia0 .*nvidia1 "):
        target(two, [], None)
    with pytest.raises(WrongUsage, match="may be nvidia0, nvidia1"):
        target(two, ["NVIDIA GeForce RTX 4090"], None)
    with pytest.raises(WrongUsage, match="no device 'cpu7' here"):
        target(two, ["cpu7"], None)


def test_another_engine_on_the_same_gpu_is_told_of() -> None:
    snapshot = box(engine(llama(), "nvidia0"), engine(ollama(), "nvidia0"))
    (note,) = target(snapshot, [], snapshot.engines[0]).notes
    assert note.startswith("ollama ") and "works there too" in note


def test_an_engine_that_runs_elsewhere_is_meant_only_when_named() -> None:
    snapshot = box(engine(llama(), "cpu"))
    assert chosen_engine(snapshot, ["0"]) is None
    found = chosen_engine(snapshot, ["0"], named=True)
    assert found is not None
    (note,) = target(snapshot, ["0"], found).notes
    assert note == "llama.cpp runs on cpu, as far as can be seen: other limits may not touch it"


def test_what_has_no_limit_says_why() -> None:
    laptop = replace(BOARD, min_w=None, max_w=None)
    with pytest.raises(Refusal, match="the firmware sets its power limit"):
        target(box(devices=(card(0, laptop),)), ["0"], None)


def test_a_ladder_keeps_to_what_the_vendor_allows() -> None:
    about = target(
        box(devices=(card(0), card(1, replace(BOARD, value_w=300.0, min_w=200.0, max_w=300.0, default_w=300.0)))),
        ["0", "1"],
        None,
    )
    rungs = ladder(about.limits, (450.0, 300.0))
    assert (rungs.lowest_w, rungs.highest_w, rungs.top_w) == (150.0, 450.0, 600.0)
    assert rungs.settings(300.0) == (300.0, 200.0)
    assert rungs.settings(225.0) == (225.0, 200.0)
    assert rungs.settings(600.0) == (600.0, 300.0)
    assert (rungs.within(10.0), rungs.within(999.0)) == (150.0, 600.0)


def test_what_somebody_has_lowered_is_not_raised_by_a_sweep() -> None:
    about = target(box(devices=(card(0),)), ["0"], None)
    lowered = target(box(devices=(replace(card(0), power_limit_w=350.0, power_limit_default_w=450.0),)), ["0"], None)
    assert any("stands at 350 W, below its stock 450 W" in note for note in lowered.notes)
    rungs = ladder(about.limits, (350.0,))
    assert (rungs.highest_w, rungs.top_w) == (350.0, 600.0)


def test_a_cpu_that_its_mainboard_left_without_a_limit_begins_where_it_could_be() -> None:
    limit = FileLimit("/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw", "cpu", "CPU", default_w=125.0)
    rungs = ladder(((limit,),), (4095.875,))
    assert rungs.highest_w == 375.0
    assert rungs.settings(375.0) == (375.0,)

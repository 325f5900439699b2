"""Which devices an engine runs on, and how their power is split."""

import pytest
from llmtop.estimator.link import neighbours, power, serving, share
from llmtop.probes.sample import Device, DeviceProcess, Engine, ModelFacts
from msgspec.structs import replace

GIB = 1 << 30
CPU = Device(id="cpu", name="EPYC", vendor="AMD", kind="cpu")


def gpu(index: int, *held: DeviceProcess, name: str = "RTX 3090", used: int | None = None, told: bool = True) -> Device:
    return Device(
        id=f"nvidia{index}",
        name=name,
        vendor="NVIDIA",
        kind="gpu",
        memory_total_bytes=24 * GIB,
        memory_used_bytes=used if used is not None else sum(each.memory_bytes or 0 for each in held) + GIB // 2,
        power_w=300.0,
        uuid=f"GPU-{index}f",
        processes=held if told else None,
    )


def engine(*pids: int, visible: tuple[str, ...] | None = None) -> Engine:
    return Engine(engine="vLLM", url="http://127.0.0.1:8000", status="ok", pids=pids, visible_devices=visible)


def ids(devices: list[Device]) -> list[str]:
    return [device.id for device in devices]


def test_the_process_tells() -> None:
    assert ids(serving(engine(7), [gpu(0), gpu(1, DeviceProcess(7, 9 * GIB)), CPU])) == ["nvidia1"]


def test_a_context_on_a_second_card_is_no_part_of_the_model() -> None:
    two = [gpu(0, DeviceProcess(7, 9 * GIB)), gpu(1, DeviceProcess(7, GIB // 4)), CPU]
    assert ids(serving(engine(7), two)) == ["nvidia0"]


def test_workers_are_summed_and_both_cards_serve() -> None:
    two = [gpu(0, DeviceProcess(7, 9 * GIB)), gpu(1, DeviceProcess(8, 9 * GIB)), CPU]
    assert ids(serving(engine(7, 8), two)) == ["nvidia0", "nvidia1"]


def test_nobody_on_any_card_means_the_cpu() -> None:
    assert ids(serving(engine(7), [gpu(0, DeviceProcess(9, GIB)), CPU])) == ["cpu"]


def test_kept_from_all_cards_means_the_cpu() -> None:
    assert ids(serving(engine(7, visible=()), [gpu(0, told=False), CPU])) == ["cpu"]


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (("cuda1",), ["nvidia1"]),
        (("nvidia0", "nvidia1"), ["nvidia0", "nvidia1"]),
        (("GPU-1",), ["nvidia1"]),
        (("GPU-",), []),
        (("gpu1",), ["nvidia1"]),
        (("cuda7",), []),
        (("rocm0",), []),
        (None, []),
    ],
)
def test_where_the_driver_names_nobody_the_environment_may_tell(
    visible: tuple[str, ...] | None, found: list[str]
) -> None:
    assert ids(serving(engine(7, visible=visible), [gpu(0, told=False), gpu(1, told=False), CPU])) == found


def test_the_order_of_unlike_cards_is_not_guessed() -> None:
    cards = [gpu(0, told=False), gpu(1, told=False, name="RTX 4090"), CPU]
    assert ids(serving(engine(7, visible=("cuda0",)), cards)) == []
    assert ids(serving(engine(7, visible=("nvidia0",)), cards)) == ["nvidia0"]


def test_memory_that_nobody_is_named_for_is_not_taken_for_the_cpu() -> None:
    """In a container the driver's list is empty although a model fills the card."""
    assert ids(serving(engine(7), [gpu(0, used=20 * GIB), CPU])) == []
    assert ids(serving(engine(7, visible=("cuda0",)), [gpu(0, used=20 * GIB), CPU])) == ["nvidia0"]


def test_two_engines_share_the_power_of_a_card_by_the_time_it_works_for_them() -> None:
    card = gpu(0, DeviceProcess(7, 9 * GIB, 0.6), DeviceProcess(8, 9 * GIB, 0.2))
    assert power(engine(7), [card]) == pytest.approx(225.0)
    assert power(engine(8), [card]) == pytest.approx(75.0)
    assert neighbours(engine(7), card) == (8,)


def test_power_is_not_split_where_the_driver_does_not_say() -> None:
    card = gpu(0, DeviceProcess(7, 9 * GIB), DeviceProcess(8, 9 * GIB))
    assert share(engine(7), card) is None
    assert power(engine(7), [card]) is None


def test_a_desktop_beside_a_model_takes_no_part() -> None:
    card = gpu(0, DeviceProcess(7, 9 * GIB), DeviceProcess(8, GIB // 4))
    assert (share(engine(7), card), neighbours(engine(7), card)) == (1.0, ())
    assert power(engine(7), [card]) == 300.0


def test_an_instance_of_a_shared_out_card_serves_and_not_the_card() -> None:
    card = gpu(0, DeviceProcess(7, 9 * GIB), DeviceProcess(8, 9 * GIB))
    parts = [
        replace(
            gpu(0, DeviceProcess(pid, 9 * GIB)), id=f"nvidia0.{at}", parent="nvidia0", uuid=f"MIG-{at}", power_w=None
        )
        for at, pid in enumerate((7, 8))
    ]
    both = [card, *parts, CPU]
    assert ids(serving(engine(8), both)) == ["nvidia0.1"]
    assert power(engine(8), [parts[1]]) is None, "an instance has no power of its own"
    silent = [replace(each, processes=None) for each in (card, *parts)]
    assert ids(serving(engine(8, visible=("MIG-1",)), silent)) == ["nvidia0.1"]
    assert ids(serving(engine(8, visible=("cuda0",)), silent)) == [], "which of its instances is not told"


def test_a_card_with_too_little_in_use_does_not_hold_the_model() -> None:
    display = gpu(0, told=False, used=GIB // 2)
    model = ModelFacts(name="big", source="GGUF header", weight_bytes=40 * GIB)
    assert ids(serving(replace(engine(7), model=model), [display, CPU])) == ["cpu"]
    assert ids(serving(replace(engine(7), model=model), [replace(display, memory_used_bytes=8 * GIB), CPU])) == []
    assert ids(serving(engine(7), [display, CPU])) == []


def test_everything_on_a_chip_of_apple_runs_on_the_chip() -> None:
    chip = Device(id="apple0", name="Apple M3 Max", vendor="Apple", kind="apple", unified_memory=True)
    assert ids(serving(engine(7), [chip, CPU])) == ["apple0"]


def test_a_card_that_says_neither_who_holds_it_nor_how_much_may_hide_the_engine() -> None:
    silent = replace(gpu(0), memory_used_bytes=None, processes=())
    assert ids(serving(engine(7), [silent, CPU])) == []
    assert ids(serving(engine(7), [replace(silent, unified_memory=True), CPU])) == ["cpu"]


def test_a_card_that_sleeps_works_for_nobody() -> None:
    """As the second GPU of a laptop: what is in use there nobody asks, as that would wake it."""
    asleep = replace(gpu(0), memory_used_bytes=None, processes=(), problem="it sleeps: nothing runs on it")
    assert ids(serving(engine(7), [asleep, CPU])) == ["cpu"]
    assert ids(serving(engine(7), [replace(asleep, processes=(DeviceProcess(7),)), CPU])) == ["nvidia0"]
    assert ids(serving(engine(7), [replace(asleep, processes=None), CPU])) == [], "it hangs"

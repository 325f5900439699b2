"""Which devices an engine runs on, and how their power is split."""

import pytest
from llmtop.estimator.link import neighbours, power, serving, share
from llmtop.probes.sample import Device, DeviceProcess, Engine

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

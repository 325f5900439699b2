"""The limit of an NVIDIA GPU, through the real binding."""

import re

import pytest
from llmtop.probes.limits.contract import Forbidden, LimitError, Vanished

from ..hardware.simulated import SimulatedNvml
from .tuner import gpu


def test_it_is_the_gpu_with_the_uuid(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\ngpu 1\nlimit 350000\nlimit_max 400000\n")
    limit = gpu(1)
    assert limit.read() == 350
    assert limit.write(250.5) == 250.5
    assert nvml.limits == {1: 250.5}
    assert (limit.min_w, limit.max_w) == (150, 400)
    assert gpu(0).read() == 450


def test_the_command_names_the_number_that_the_driver_counts(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\ngpu 1\n")
    limit = gpu(1)
    limit.device = "nvidia7"
    limit.read()
    assert limit.command(350) == "sudo nvidia-smi -i 1 -pl 350"
    assert gpu(0).command(312.5) == "sudo nvidia-smi -i 0 -pl 312.5"


def test_a_driver_that_rounds_says_to_what(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nset_step 5000\n")
    assert gpu(0).write(303) == 300


@pytest.mark.parametrize("watts", [149, 601, 0])
def test_nothing_outside_the_range_is_even_tried(nvml: SimulatedNvml, watts: float) -> None:
    nvml.write("gpu 0\nerror SetPowerManagementLimit 999\n")
    with pytest.raises(LimitError, match=f"^RTX 0: {watts} W is outside of what its vendor allows, 150 to 600 W$"):
        gpu(0).write(watts)


def test_the_range_is_that_of_now(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\n")
    limit = gpu(0)
    limit.write(500)
    nvml.write("gpu 0\nlimit_max 400000\n")
    with pytest.raises(LimitError, match="150 to 400 W"):
        limit.write(500)


def test_a_refusal_in_silence_is_told(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nset_deaf 1\n")
    with pytest.raises(LimitError, match=r"was to be 300 W and stayed at 450 W, though the driver reported no error$"):
        gpu(0).write(300)


def test_a_driver_that_takes_another_value(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nset_step 100000\n")
    with pytest.raises(LimitError, match=r"was to be 350 W and became 300 W$"):
        gpu(0).write(350)


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        (
            "error SetPowerManagementLimit 4",
            Forbidden,
            "only root may set its power limit; sudo nvidia-smi -i 0 -pl 300",
        ),
        ("error SetPowerManagementLimit 15", Vanished, "it fell off the bus"),
        ("error * 15", Vanished, "it fell off the bus"),
        ("error * 16", Vanished, "it needs a reset"),
        ("error * 999", Vanished, "does not answer (NVML error 999)"),
        ("error GetHandleByUUID 6", Vanished, "knows no such GPU any more"),
        ("error SetPowerManagementLimit 2", LimitError, "does not take 300 W; it says 150 to 600 W"),
        ("error SetPowerManagementLimit 3", LimitError, "no power limit for it that can be set"),
        ("error GetPowerManagementLimit 3", LimitError, "no power limit for it that can be set"),
    ],
)
def test_trouble_is_one_line(nvml: SimulatedNvml, state: str, kind: type[LimitError], words: str) -> None:
    nvml.write(f"gpu 0\n{state}\n")
    with pytest.raises(LimitError, match=re.escape(words)) as caught:
        gpu(0).write(300)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert nvml.limits == {}


def test_a_gpu_that_comes_back_is_found_again(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\n")
    limit = gpu(0)
    limit.read()
    nvml.write("gpu 0\nerror * 15\n")
    with pytest.raises(Vanished):
        limit.read()
    nvml.write("gpu 0\n")
    assert limit.write(300) == 300


def test_a_gpu_that_is_not_there(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\n")
    with pytest.raises(Vanished, match="knows no such GPU"):
        gpu(5).read()


def test_a_driver_that_is_not_loaded(nvml: SimulatedNvml) -> None:
    nvml.write("init 9\ngpu 0\n")
    with pytest.raises(Vanished, match="not loaded"):
        gpu(0).read()

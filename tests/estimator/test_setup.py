"""How the layers of a model that fits are spread over devices."""

import pytest
from llmtop.estimator.setup import Stage, spread
from llmtop.estimator.software import Software, engine
from llmtop.probes.sample import Device
from msgspec.structs import replace

GIB = 1 << 30
LAYERS = Software(engine=engine("llama.cpp"), backend="cuda")
TENSORS = Software(engine=engine("vLLM"), backend="cuda")
CARD = Device(id="a", name="RTX 3090", vendor="NVIDIA", kind="gpu", memory_total_bytes=24 * GIB)
SMALL = replace(CARD, id="b", name="RTX 3070", memory_total_bytes=8 * GIB)
UNKNOWN = replace(CARD, id="c", name="RTX 9999", memory_total_bytes=None)


@pytest.mark.parametrize("software", [LAYERS, TENSORS])
def test_one_device_has_it_all(software: Software) -> None:
    assert spread([CARD], software) == (Stage(device=CARD, share=1.0, ways=1),)
    assert spread([UNKNOWN], software) == (Stage(device=UNKNOWN, share=1.0, ways=1),)


def test_equal_devices_split_each_tensor_where_the_engine_does() -> None:
    assert spread([CARD] * 4, TENSORS) == (Stage(device=CARD, share=1.0, ways=4),)


def test_equal_devices_have_equal_layers_where_the_engine_splits_by_layers() -> None:
    assert spread([CARD] * 4, LAYERS) == (Stage(device=CARD, share=0.25),) * 4


@pytest.mark.parametrize("software", [LAYERS, TENSORS])
def test_unequal_devices_have_layers_in_proportion_to_their_memory(software: Software) -> None:
    large, small = spread([CARD, SMALL], software)
    assert (large.share, small.share) == (0.75, 0.25)
    assert (large.ways, small.ways) == (1, 1)
    assert (large.device, small.device) == (CARD, SMALL)


def test_devices_of_unknown_memory_have_equal_layers() -> None:
    shares = [stage.share for stage in spread([CARD, UNKNOWN, SMALL], LAYERS)]
    assert shares == pytest.approx([1 / 3] * 3)

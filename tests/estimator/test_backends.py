"""Where engines run, by what their projects say, and by what was measured."""

import csv

import pytest
from llmtop.estimator.backends import NoBackend, backends, common_backend, evident_backend
from llmtop.estimator.catalogue.devices import device, devices
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.measurements import SHIPPED
from llmtop.estimator.silicon import default_backend
from llmtop.estimator.software import BACKENDS, ENGINES, Backend, engine
from llmtop.probes.sample import Device
from msgspec.structs import replace


def named(name: str) -> Device:
    return device(name).as_device(name)


def test_every_published_row_is_of_an_engine_that_runs_there() -> None:
    with SHIPPED.open(encoding="utf-8-sig", newline="") as file:
        measured = {(row["hardware"], row["engine"], row["backend"].lower()) for row in csv.DictReader(file)}
    answered = 0
    for hardware, runs, backend in sorted(measured):
        try:
            card, software = named(hardware), engine(runs)
        except UnknownName:
            continue
        if backend == "cpu" and card.kind != "cpu":  # the CPU of a chip that is named by its GPU
            continue
        assert backend in backends(software, card), (hardware, runs, backend)
        answered += 1
    assert answered > 200


@pytest.mark.parametrize(
    ("runs", "hardware"),
    [
        ("TensorRT-LLM", "Apple M2 10c"),
        ("TensorRT-LLM", "EPYC 9654"),
        ("TensorRT-LLM", "RX 7900 XTX"),
        ("TensorRT-LLM", "Tesla K80"),
        ("ExLlamaV2", "Apple M2 10c"),
        ("ExLlamaV3", "EPYC 9654"),
        ("ExLlamaV3", "RX 7900 XTX"),
        ("MLX", "Arc B580"),
        ("MLX", "Tesla K80"),
        ("MLX", "Radeon Pro 5300M"),
        ("vLLM", "Tesla K80"),
        ("SGLang", "Tesla K80"),
        ("SGLang", "Tesla V100 SXM2 16GB"),
        ("LMDeploy", "Apple M2 10c"),
        ("TGI", "Apple M2 10c"),
        ("vulkanforge", "Apple M2 10c"),
        ("llama.cpp", "Gaudi 2"),
    ],
)
def test_an_engine_is_not_answered_for_hardware_that_it_does_not_run_on(runs: str, hardware: str) -> None:
    assert backends(engine(runs), named(hardware)) == ()
    with pytest.raises(NoBackend, match=f"^{runs} does not run on {hardware}: it runs on .+") as caught:
        common_backend(engine(runs), [named(hardware)])
    assert all(f"({backend})" in str(caught.value) for backend in engine(runs).backends)


@pytest.mark.parametrize(
    ("runs", "hardware", "backend"),
    [
        ("llama.cpp", "RTX 4090", "cuda"),
        ("llama.cpp", "Tesla K80", "cuda"),
        ("llama.cpp", "RX 7900 XTX", "rocm"),
        ("llama.cpp", "Apple M2 10c", "metal"),
        ("llama.cpp", "Radeon Pro 5300M", "metal"),
        ("llama.cpp", "Radeon Pro W7900", "rocm"),
        ("llama.cpp", "Arc B580", "sycl"),
        ("llama.cpp", "EPYC 9654", "cpu"),
        ("Ollama", "Arc B580", "vulkan"),
        ("KoboldCpp", "RX 7900 XTX", "vulkan"),
        ("Lemonade", "RTX 4090", "vulkan"),
        ("vulkanforge", "RTX 4090", "vulkan"),
        ("vLLM", "Tesla V100 SXM2 16GB", "cuda"),
        ("vLLM", "EPYC 9654", "cpu"),
        ("SGLang", "Apple M2 10c", "metal"),
        ("MLX", "B200 SXM 180GB", "cuda"),
        ("MLX", "EPYC 9654", "cpu"),
    ],
)
def test_the_usual_backend(runs: str, hardware: str, backend: Backend) -> None:
    assert common_backend(engine(runs), [named(hardware)]) == backend


@pytest.mark.parametrize("name", [name for name, row in devices().items() if row.vendor != "Intel"][::7])
def test_llama_cpp_runs_on_every_device_with_the_usual_backend(name: str) -> None:
    of_mac = name.startswith("Radeon Pro ")
    assert of_mac or common_backend(engine("llama.cpp"), [named(name)]) == default_backend(named(name))


@pytest.mark.parametrize("order", [("RTX 4090", "RX 7900 XTX"), ("RX 7900 XTX", "RTX 4090"), ("Arc B580", "RTX 4090")])
def test_cards_of_several_makers_share_vulkan_in_any_order(order: tuple[str, str]) -> None:
    assert common_backend(engine("llama.cpp"), [named(name) for name in order]) == "vulkan"
    with pytest.raises(NoBackend, match=f"vLLM has no backend for {order[0]} and {order[1]} together: "):
        common_backend(engine("vLLM"), [named(name) for name in order])


def test_a_card_and_a_mac_share_nothing() -> None:
    with pytest.raises(NoBackend, match="RTX 4090 and Apple M2 10c together: cuda is for the one, metal for the other"):
        common_backend(engine("llama.cpp"), [named("RTX 4090"), named("RTX 4090"), named("Apple M2 10c")])


def test_the_backend_that_is_asked_for_must_be_there() -> None:
    assert common_backend(engine("llama.cpp"), [named("RTX 4090")], "vulkan") == "vulkan"
    with pytest.raises(NoBackend, match="the backend rocm does not run on RTX 4090: try cuda, vulkan"):
        common_backend(engine("llama.cpp"), [named("RTX 4090")], "rocm")
    with pytest.raises(NoBackend, match="vLLM has no backend vulkan: it runs on NVIDIA GPUs from compute"):
        common_backend(engine("vLLM"), [named("RTX 4090")], "vulkan")


def test_a_capability_that_is_not_known_is_enough() -> None:
    assert backends(engine("vLLM"), replace(named("RTX 4090"), architecture=None)) == ("cuda",)


@pytest.mark.parametrize("name", sorted(ENGINES))
@pytest.mark.parametrize("hardware", ["Tesla K80", "Apple M2 10c", "RX 7900 XTX", "Arc B580", "EPYC 9654", "Gaudi 2"])
def test_what_is_seen_to_run_has_a_backend(name: str, hardware: str) -> None:
    card = named(hardware)
    found = evident_backend(engine(name), card)
    assert found in BACKENDS
    assert found == default_backend(card) or found in backends(engine(name), card)


def test_every_engine_has_backends_that_exist() -> None:
    for each in ENGINES.values():
        assert each.backends and len(set(each.backends)) == len(each.backends)
        assert set(each.backends) <= set(BACKENDS)
        assert not each.capability or "cuda" in each.backends

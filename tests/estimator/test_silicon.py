"""Classes of hardware, by what a driver or the catalogue says of a device."""

import pytest
from llmtop.estimator.catalogue.devices import device as known
from llmtop.estimator.catalogue.devices import devices
from llmtop.estimator.silicon import classes, default_backend, generation
from llmtop.estimator.software import BACKENDS, Backend
from llmtop.probes.sample import Device


@pytest.mark.parametrize(
    ("name", "backend", "expected"),
    [
        ("RTX 4090", "cuda", ("cuda", "cuda GDDR")),  # 8.9, GDDR6X
        ("RTX 5090", "cuda", ("cuda", "cuda GDDR")),  # 12.0, GDDR7
        ("H100 SXM 80GB", "cuda", ("cuda", "cuda HBM")),  # 9.0, HBM3
        ("Tesla V100 SXM2 16GB", "cuda", ("cuda", "cuda HBM")),  # 7.0, HBM2
        ("RTX 2080 Ti", "cuda", ("cuda", "cuda Turing")),  # 7.5, GDDR6
        ("GTX 1080 Ti", "cuda", ("cuda", "cuda before Volta")),  # 6.1, GDDR5X
        ("Tesla P100 PCIe 16GB", "cuda", ("cuda", "cuda before Volta")),  # 6.0, HBM2
        ("DGX Spark", "cuda", ("cuda", "cuda unified")),  # 12.1, LPDDR5X
        ("Radeon RX 7900 XTX", "rocm", ("rocm", "rocm RDNA")),  # gfx1100
        ("Radeon RX 9070 XT", "rocm", ("rocm", "rocm RDNA4")),  # gfx1201
        ("Instinct MI300X", "rocm", ("rocm", "rocm HBM")),  # gfx942
        ("Ryzen AI Max+ 395", "rocm", ("rocm", "rocm unified")),  # gfx1151, LPDDR5X
        ("Radeon RX 7900 XTX", "vulkan", ("vulkan", "vulkan AMD", "vulkan RDNA3")),
        ("Radeon RX 6800 XT", "vulkan", ("vulkan", "vulkan AMD", "vulkan RDNA2")),  # gfx1030
        ("RTX 4090", "vulkan", ("vulkan", "vulkan NVIDIA")),
        ("Arc B580", "vulkan", ("vulkan", "vulkan Intel", "vulkan Xe2")),
        ("Arc B580", "sycl", ("sycl", "sycl Xe2")),
        ("Apple M2 Ultra 76c", "metal", ("metal", "metal Ultra")),
        ("Apple M4 Max 40c", "metal", ("metal",)),
        ("RTX 4090", "cpu", ("cpu",)),
        ("EPYC 9654", "cuda", ("cpu",)),
    ],
)
def test_what_the_constants_of_a_device_are_filed_under(name: str, backend: Backend, expected: tuple[str, ...]) -> None:
    assert classes(backend, known(name).as_device("d")) == expected


def _device(vendor: str, **facts: str | int) -> Device:
    return Device(id="d", name=str(facts.pop("name", "d")), vendor=vendor, kind="gpu", **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("gfx1200", "RDNA4"),
        ("gfx1151", "RDNA3"),
        ("gfx1100", "RDNA3"),
        ("gfx1030", "RDNA2"),
        ("gfx1012", "RDNA1"),
        ("gfx90a", "Vega"),
        ("gfx803", None),
        ("8.9", None),
    ],
)
def test_generations_of_amd_by_their_target(target: str, expected: str | None) -> None:
    assert generation(_device("AMD", architecture=target)) == expected


def test_generations_of_intel_are_their_own_names() -> None:
    assert generation(_device("Intel", architecture="Xe2")) == "Xe2"
    assert generation(_device("Intel")) is None


def test_an_apple_chip_with_48_cores_is_an_ultra() -> None:
    assert classes("metal", _device("Apple", cores=48)) == ("metal", "metal Ultra")
    assert classes("metal", _device("Apple", cores=40)) == ("metal",)
    assert classes("metal", _device("Apple", name="Apple M9 Ultra")) == ("metal", "metal Ultra")


def test_a_device_of_which_little_is_known_has_the_general_class() -> None:
    assert classes("cuda", _device("NVIDIA")) == ("cuda", "cuda GDDR")
    assert classes("cuda", _device("NVIDIA", architecture="Hopper")) == ("cuda", "cuda GDDR")
    assert classes("vulkan", _device("Moore Threads")) == ("vulkan", "vulkan Moore Threads")
    assert classes("sycl", _device("Intel")) == ("sycl",)


def test_the_backend_that_people_use() -> None:
    for vendor, backend in (("NVIDIA", "cuda"), ("AMD", "rocm"), ("Intel", "sycl"), ("Moore Threads", "vulkan")):
        assert default_backend(_device(vendor)) == backend
    assert default_backend(known("Apple M1 8c").as_device("d")) == "metal"
    assert default_backend(known("EPYC 9654").as_device("d")) == "cpu"


def test_every_device_has_a_class_under_every_backend() -> None:
    for row in devices().values():
        device = row.as_device(row.name)
        assert default_backend(device) in BACKENDS
        for backend in BACKENDS:
            found = classes(backend, device)
            assert found[0] == ("cpu" if device.kind == "cpu" else backend)
            assert len(set(found)) == len(found)
            assert all(found)

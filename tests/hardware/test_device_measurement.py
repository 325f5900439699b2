"""What was measured of a GPU, kept in a file, and put beside its peak."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.measured.device_measurement import (
    DeviceMeasurement,
    DeviceMeasurements,
    device_file,
    save_device,
    with_measured,
)
from llmtop.probes.sample import Bandwidth
from msgspec.structs import replace

UUID = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
MEASUREMENT = DeviceMeasurement(
    uuid=UUID,
    name="NVIDIA H100 80GB HBM3",
    date="2026-11-25T03:04:05Z",
    copy_gbs=2950.5,
    spread=0.012,
    buffer_bytes=2 << 30,
    seconds=2.1,
    driver="NVIDIA 580.65.06",
)


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    assert DeviceMeasurements(tmp_path).read(UUID) is None
    assert save_device(MEASUREMENT, tmp_path) == device_file(UUID, tmp_path)
    assert DeviceMeasurements(tmp_path).read(UUID) == MEASUREMENT
    assert len(list(tmp_path.iterdir())) == 1


def test_each_gpu_has_its_own(tmp_path: Path) -> None:
    other = replace(MEASUREMENT, uuid="MIG-00112233-4455-6677-8899-aabbccddeeff", copy_gbs=400)
    save_device(MEASUREMENT, tmp_path)
    save_device(other, tmp_path)
    assert DeviceMeasurements(tmp_path).read(UUID) == MEASUREMENT
    assert DeviceMeasurements(tmp_path).read(other.uuid) == other
    (tmp_path / device_file(other.uuid, tmp_path).name).write_bytes(device_file(UUID, tmp_path).read_bytes())
    assert DeviceMeasurements(tmp_path).read(other.uuid) is None


@pytest.mark.parametrize("uuid", ["MIG-GPU-8932f937/1/0", "../../etc/passwd", "GPU-" + "f" * 500, ""])
def test_no_name_leaves_the_folder(tmp_path: Path, uuid: str) -> None:
    assert device_file(uuid, tmp_path).parent == tmp_path
    save_device(replace(MEASUREMENT, uuid=uuid), tmp_path)
    found = DeviceMeasurements(tmp_path).read(uuid)
    assert found is not None
    assert found.uuid == uuid


def test_default_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert save_device(MEASUREMENT).is_relative_to(tmp_path)
    assert DeviceMeasurements().read(UUID) == MEASUREMENT


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"uuid": 3}', b'{"copy_gbs": 80}'])
def test_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    device_file(UUID, tmp_path).write_bytes(content)
    assert DeviceMeasurements(tmp_path).read(UUID) is None
    assert DeviceMeasurements(tmp_path).read(UUID) is None


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    kept = DeviceMeasurements(tmp_path)
    assert kept.read(None) is None
    assert kept.read(UUID) is None
    save_device(MEASUREMENT, tmp_path)
    assert kept.read(UUID) == MEASUREMENT
    assert kept.read(UUID) is kept.read(UUID)
    better = replace(MEASUREMENT, copy_gbs=3000)
    save_device(better, tmp_path)
    assert kept.read(UUID) == better
    device_file(UUID, tmp_path).unlink()
    assert kept.read(UUID) is None


def test_stands_beside_the_peak() -> None:
    known = Bandwidth(peak=3352.0, basis="memory clock 2619 MHz x 2 x 5120 bit (NVML)")
    assert with_measured(known, None) == known
    assert with_measured(known, MEASUREMENT) == Bandwidth(
        peak=3352.0,
        measured=2950.5,
        basis="memory clock 2619 MHz x 2 x 5120 bit (NVML); measured 2026-11-25: device-to-device copy, spread 1%",
    )
    unknown = with_measured(Bandwidth(), MEASUREMENT)
    assert (unknown.peak, unknown.measured) == (None, 2950.5)
    assert (unknown.basis or "").startswith("measured 2026-11-25")

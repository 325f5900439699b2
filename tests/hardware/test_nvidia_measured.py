"""The measured bandwidth of a GPU beside the one on paper."""

from pathlib import Path

from llmtop.probes.hardware.measured.device_measurement import DeviceMeasurement, save_device
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe

from .simulated import SimulatedNvml


def test_the_newest_measurement_of_the_card_stands_beside_its_peak(nvml: SimulatedNvml, tmp_path: Path) -> None:
    nvml.write("gpu 0\nname NVIDIA GeForce RTX 4090\ngpu 1\n")
    probe = NvidiaProbe(cache=tmp_path)
    first, second = probe.read().devices
    assert first.bandwidth_gbs.measured is None
    assert first.uuid is not None
    for copy_gbs in (900.0, 921.0):
        save_device(
            DeviceMeasurement(
                uuid=first.uuid,
                name=first.name,
                date="2026-11-25T12:00:00Z",
                copy_gbs=copy_gbs,
                spread=0.01,
                buffer_bytes=2 << 30,
                seconds=2.0,
            ),
            tmp_path,
        )
        measured, other = probe.read().devices
        assert measured.bandwidth_gbs.measured == copy_gbs
        assert measured.bandwidth_gbs.peak == first.bandwidth_gbs.peak
        assert "measured 2026-11-25: device-to-device copy" in (measured.bandwidth_gbs.basis or "")
        assert other.bandwidth_gbs == second.bandwidth_gbs

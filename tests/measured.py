"""A measured memory bandwidth, as `llmtop probe --measure` keeps it, for programs that are run as a test."""

from pathlib import Path

from llmtop.probes.hardware.measured.measurement import Measurement, machine_key, save


def keep_measurement(cache: Path) -> None:
    """Of this machine: 40 GB/s and 0.2 TFLOPS, in the cache folder of a user."""
    measurement = Measurement(
        machine=machine_key(),
        date="2026-11-25T12:00:00Z",
        kernels_gbs={"read": 40.0},
        best_gbs=40.0,
        spread=0.01,
        threads=2,
        buffer_bytes=1 << 29,
        seconds=8.0,
        gemm_tflops=0.2,
    )
    save(measurement, cache / "llmtop/bandwidth.json")

"""The measured bandwidth, kept in a file."""

import os
from pathlib import Path

import msgspec
import pytest
from llmtop.probes.hardware.measurement import CachedMeasurement, Measurement, cache_file, load, machine_key, save

MEASUREMENT = Measurement(
    machine=machine_key(),
    date="2026-01-02T03:04:05Z",
    kernels_gbs={"read": 80.5, "copy": 70, "add": 75},
    best_gbs=80.5,
    spread=0.01,
    threads=8,
    buffer_bytes=1 << 30,
    seconds=8.5,
    gemm_tflops=0.5,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "llmtop" / "bandwidth.json"


def test_comes_back_as_it_was(file: Path) -> None:
    assert load(file) is None
    assert save(MEASUREMENT, file) == file
    assert load(file) == MEASUREMENT
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_default_file_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_file().is_relative_to(tmp_path)
    assert cache_file().name == "bandwidth.json"
    assert load() is None
    save(MEASUREMENT)
    assert load() == MEASUREMENT


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"machine": 3}', b'{"best_gbs": 80}'],
)
def test_damaged_file_is_none(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    assert load(file) is None


def test_folder_in_its_place_is_none(file: Path) -> None:
    file.mkdir(parents=True)
    assert load(file) is None


def test_measurement_of_another_machine_is_none(file: Path) -> None:
    save(msgspec.structs.replace(MEASUREMENT, machine="another"), file)
    assert load(file) is None


def test_cached_sees_the_file_come_change_and_go(file: Path) -> None:
    cached = CachedMeasurement(file)
    assert cached.read() is None
    save(MEASUREMENT, file)
    assert cached.read() == MEASUREMENT
    assert cached.read() is cached.read()
    better = msgspec.structs.replace(MEASUREMENT, best_gbs=90)
    save(better, file)
    assert cached.read() == better
    file.unlink()
    assert cached.read() is None


def test_machine_key_names_nobody() -> None:
    assert os.uname().nodename not in machine_key().split()
    assert machine_key() == machine_key()

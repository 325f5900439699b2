"""The measured bandwidth, kept in a file."""

import os
import re
from pathlib import Path

import msgspec
import pytest
from llmtop.probes.hardware.cpu.usable import working_cores
from llmtop.probes.hardware.measured.measurement import (
    CachedMeasurement,
    Measurement,
    cache_file,
    load,
    machine_key,
    save,
)

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


def test_an_old_file_without_the_newer_fields_is_read(file: Path) -> None:
    old = {name: value for name, value in msgspec.to_builtins(MEASUREMENT).items() if value is not None}
    assert {"other_work", "stolen"}.isdisjoint(old)
    file.parent.mkdir()
    file.write_bytes(msgspec.json.encode(old))
    assert load(file) == MEASUREMENT


@pytest.mark.parametrize(
    ("spread", "other_work", "stolen", "words"),
    [
        (0.01, None, None, None),
        (0.04, 0.02, 0.01, None),
        (0.04, 0.38, 0.0, "the machine was not quiet (other work took 38% of the CPU, spread 4%)"),
        (0.04, 0.0, 0.22, "the machine was not quiet (other virtual machines took 22% of the CPU, spread 4%)"),
        (0.31, 0.001, 0.0, "the memory was not equally fast throughout (spread 31%) though nobody else worked"),
        (0.31, None, None, "the machine was not quiet (spread 31%)"),
        (0.12, 0.3, 0.1, "the machine was not quiet (other work took 30% of the CPU, other virtual machines took 10%"),
    ],
)
def test_says_what_made_it_restless(
    spread: float, other_work: float | None, stolen: float | None, words: str | None
) -> None:
    measurement = msgspec.structs.replace(MEASUREMENT, spread=spread, other_work=other_work, stolen=stolen)
    assert measurement.restless == (words is not None)
    if words is None:
        assert measurement.remark is None
    else:
        assert (measurement.remark or "").startswith(words)
        assert (measurement.remark or "").endswith(": measure again for a better figure")


def test_a_spoilt_figure_does_not_replace_a_better_one() -> None:
    def told(best_gbs: float, spread: float) -> Measurement:
        return msgspec.structs.replace(MEASUREMENT, best_gbs=best_gbs, spread=spread)

    assert told(80, 0.02).outlasts(told(60, 0.3))
    assert not told(80, 0.02).outlasts(told(60, 0.02)), "slower modules"
    assert not told(80, 0.02).outlasts(told(90, 0.3)), "others only lower it"
    assert not told(80, 0.3).outlasts(told(60, 0.3))


@pytest.mark.skipif("sys.platform == 'win32'")
def test_a_full_disk_keeps_nothing_of_it_and_is_named(file: Path) -> None:
    import resource  # noqa: PLC0415 - not on Windows

    file.parent.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match=re.escape(str(file))) as failed:
            save(MEASUREMENT, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.value.filename == str(file)
    assert not list(file.parent.iterdir())


@pytest.mark.skipif("sys.platform != 'linux' or (os.cpu_count() or 1) < 2")
def test_a_part_of_the_processors_is_another_machine() -> None:
    whole, allowed = machine_key(), os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        part, cores = machine_key(), working_cores()
    finally:
        os.sched_setaffinity(0, allowed)
    assert part == f"{whole.partition(',')[0]}, 1 usable"
    assert cores == 1, "so many threads measure, and run the demo"
    assert machine_key() == whole


def test_two_quiet_figures_that_are_far_apart_are_said() -> None:
    def told(best_gbs: float, spread: float = 0.04) -> Measurement:
        return msgspec.structs.replace(MEASUREMENT, best_gbs=best_gbs, spread=spread)

    words = told(53.04).differs(told(88.19)) or ""
    assert words.startswith("53.0 GB/s now, 88.2 GB/s on 2026-01-02, both while it was quiet: ")
    assert told(88.19).differs(told(53.04))
    assert told(84).differs(told(88)) is None
    assert told(53, 0.3).differs(told(88)) is None, "that is said already"

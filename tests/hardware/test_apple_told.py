"""macmon and powermetrics: documents that others recorded, and programs of our own in their place."""

import plistlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.hardware.apple.draw import AppleDraw
from llmtop.probes.hardware.apple.gpu import AppleGpu, parse
from llmtop.probes.hardware.apple.stream import Stream
from llmtop.probes.hardware.apple.told import AppleTold, from_macmon, from_powermetrics, macmon, powermetrics

from .apple_mac import FOLDER, Mac

SOURCE = Path(__file__).parents[2] / ".src"


def test_powermetrics_of_an_m5() -> None:
    draw = from_powermetrics(b"\0" + (FOLDER / "powermetrics-m5.plist").read_bytes())
    assert draw.power_w == pytest.approx(1.46983)
    assert draw.clock_mhz == pytest.approx(372.088)
    assert draw.utilization == pytest.approx(1 - 0.847957)
    assert draw.memory is False


def test_powermetrics_without_the_sum_or_with_hertz() -> None:
    told = {"processor": {"cpu_power": 2978.45, "gpu_power": 269.614}, "gpu": {"freq_hz": 338e6, "idle_ratio": 2}}
    draw = from_powermetrics(plistlib.dumps(told))
    assert draw.power_w == pytest.approx(3.248064)
    assert draw.clock_mhz == pytest.approx(338)
    assert draw.utilization is None


def test_macmon_of_two_versions() -> None:
    newer = from_macmon((FOLDER / "macmon-0.8.json").read_bytes())
    assert newer.power_w == pytest.approx(0.5507163405)
    assert (newer.clock_mhz, newer.memory) == (338, False)
    assert newer.utilization == pytest.approx(0.3204303682)
    assert newer.temperature_c == pytest.approx(47.1431160)
    older = from_macmon((FOLDER / "macmon-0.7.json").read_bytes())
    assert older.power_w == pytest.approx(0.22231553 + 0.11635789)
    assert (older.clock_mhz, older.memory) == (461, True)
    assert older.utilization is None, "0.7 tells the share of the highest clock, not of the time"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0",
        b"null",
        b"[]",
        b"{",
        b'{"cpu_power": "much", "gpu_power": 1, "ane_power": 0}',
        b'{"cpu_power": -1, "gpu_power": 1, "ane_power": 0}',
        b'{"gpu_usage": [], "temp": 3}',
        b'{"cpu_power": 1' + b"0" * 400 + b', "gpu_power": 1, "ane_power": 0}',
        b"[" * 100_000,
        b"<plist><dict><key>processor</key></plist>",
        b"<plist><array/></plist>",
        b"<plist><dict><key>gpu</key><integer>x</integer></dict></plist>",
        b"<?xml version='1.0' encoding='nonsense'?><plist/>",
        b"bplist00\xff\xff",
        b"\xff\xfe\x00",
    ],
)
def test_damaged_documents_tell_nothing(text: bytes) -> None:
    assert from_macmon(text).power_w is None
    assert from_powermetrics(text).power_w is None
    assert parse(text) == AppleGpu()


@given(st.binary(max_size=200), st.integers(0, 400))
def test_whatever_is_cut_or_flipped_raises_nothing(noise: bytes, where: int) -> None:
    whole = Mac("m5-pro").accelerators()
    for text in (noise, whole[:where] + noise, whole[:where] + noise + whole[where:], whole[where:]):
        parse(text)
        from_powermetrics(text)
        from_macmon(text)


@pytest.mark.parametrize("value", [-1, 112, True, "12", 1.5, [12], {}])
def test_a_utilization_that_cannot_be_is_unknown(value: object) -> None:
    entry = {"IOClass": "AGXAcceleratorG16X", "PerformanceStatistics": {"Device Utilization %": value}}
    assert parse(plistlib.dumps([entry])).utilization is None


def test_the_accelerator_of_another_maker_is_passed_over() -> None:
    other = {"IOClass": "AMDRadeonX6000", "gpu-core-count": 3}
    assert parse(plistlib.dumps([other, "junk", {"IOClass": "AGXAcceleratorG13X", "gpu-core-count": 8}])).cores == 8


Program = Callable[[str], list[str]]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program in Python in the place of one of macOS."""

    def write(text: str) -> list[str]:
        file = tmp_path / "told.py"
        file.write_text(f"import sys, time\nout = sys.stdout.buffer\n{text}\n")
        return [sys.executable, "-u", str(file)]

    return write


@pytest.fixture
def streams() -> Iterator[list[Stream]]:
    opened: list[Stream] = []
    yield opened
    for stream in opened:
        stream.close()


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.01)


def test_documents_are_cut_at_their_end_and_the_last_is_kept(program: Program, streams: list[Stream]) -> None:
    parts = (b"one</p", b"list>\n\0two</plist>", b"\n\0thr")
    command = program(f"for part in {parts!r}: out.write(part); time.sleep(0.1)\ntime.sleep(60)")
    streams.append(stream := Stream(command, b"</plist>"))
    assert stream.newest() is None
    wait_for(lambda: stream.newest() == b"\n\0two</plist>")
    assert not stream.ended
    assert stream.silent_s < 5


def test_a_document_without_end_is_not_kept_for_ever(program: Program, streams: list[Stream]) -> None:
    command = program("out.write(b'x' * 300_000); time.sleep(0.2); out.write(b'y' * 9 + b'\\n'); time.sleep(60)")
    streams.append(stream := Stream(command, b"\n", limit=1000))
    wait_for(lambda: stream.newest() is not None)
    assert len(stream.newest() or b"") < 1010


def test_closing_ends_a_program_that_does_not_listen(program: Program) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    command = program(f"{deaf}; out.write(b'ready\\n'); time.sleep(60)")
    stream = Stream(command, b"\n")
    wait_for(lambda: stream.newest() is not None)
    began = time.monotonic()
    stream.close()
    assert stream.ended
    assert time.monotonic() - began < 2
    stream.close()


@pytest.mark.parametrize("leave", ["", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_the_program_ends_with_the_one_who_started_it(tmp_path: Path, leave: str) -> None:
    """Told so when that one leaves in the ordinary way; else by the pipe that nobody reads."""
    mark = tmp_path / "alive"
    child = f"import time\nwhile True:\n print('.', flush=True); open({str(mark)!r}, 'a').write('.'); time.sleep(0.05)"
    parent = (
        "import sys, time\nfrom llmtop.probes.hardware.apple.stream import Stream\n"
        f"s = Stream([sys.executable, '-c', {child!r}], b'\\n')\n"
        f"while s.newest() is None: time.sleep(0.01)\n{leave}\n"
    )
    subprocess.run([sys.executable, "-c", parent], env={"PYTHONPATH": str(SOURCE)}, check=False, timeout=30)
    time.sleep(0.3)
    before = mark.stat().st_size
    time.sleep(0.4)
    assert mark.stat().st_size == before


def test_a_program_that_ends_is_told(program: Program) -> None:
    told = AppleTold(program("out.write(b'{}\\n')"), b"\n", from_macmon)
    wait_for(lambda: told.read() == AppleDraw() and told.problem is not None)
    assert told.problem == f"{Path(sys.executable).name} has ended"
    assert told.read() == AppleDraw()


def test_a_program_that_is_silent_is_ended(program: Program) -> None:
    now = [0.0]
    streams: list[Stream] = []

    def start(command: Sequence[str], end: bytes) -> Stream:
        streams.append(Stream(command, end, clock=lambda: now[0]))
        return streams[0]

    told = AppleTold(program("time.sleep(60)"), b"\n", from_macmon, start)
    assert told.read() == AppleDraw()
    assert told.problem is None
    now[0] = 11.0
    told.read()
    assert (told.problem or "").endswith("does not answer")
    assert streams[0].ended


def test_a_program_that_runs_is_read(program: Program) -> None:
    line = (FOLDER / "macmon-0.7.json").read_bytes()
    told = AppleTold(program(f"out.write({line!r}); time.sleep(60)"), b"\n", from_macmon)
    wait_for(lambda: told.read().power_w is not None)
    assert told.read().power_w == pytest.approx(0.33867342)
    told.close()


def test_what_is_not_there_or_not_allowed_is_no_trouble() -> None:
    assert macmon(lambda _name: None).problem == ""
    assert powermetrics(lambda: 501).problem == ""
    broken = macmon(lambda _name: "/no/such/macmon")
    assert broken.problem == "macmon does not start (No such file or directory)"


def test_root_starts_powermetrics_with_an_interval_of_a_second() -> None:
    asked: list[tuple[list[str], bytes]] = []

    def start(command: Sequence[str], end: bytes) -> Stream:
        asked.append((list(command), end))
        raise OSError(2, "No such file or directory")

    powermetrics(lambda: 0, start)
    macmon(lambda name: "/opt/homebrew/bin/macmon" if "/" in name else None, start)
    assert asked == [
        (
            [
                *("/usr/bin/powermetrics", "--samplers", "cpu_power,gpu_power"),
                *("--sample-rate", "1000", "--buffer-size", "1", "--format", "plist"),
            ],
            b"</plist>",
        ),
        (["/opt/homebrew/bin/macmon", "pipe", "--interval", "1000"], b"\n"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"cpu_power": 1.0, "gpu_power": 1.0, "ane_power": 0.0, "soc": "\xa0"}',
        b'{"cpu_power": 9e9, "gpu_power": 1.0, "ane_power": 0.0, "gpu_freq_mhz": 9e9, "temp": {"gpu_temp_avg": 9e9}}',
    ],
)
def test_a_line_of_nonsense_tells_nothing(line: bytes) -> None:
    draw = from_macmon(line)
    assert (draw.power_w, draw.clock_mhz, draw.temperature_c) == (None, None, None)

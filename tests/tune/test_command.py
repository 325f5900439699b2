"""`llmtop tune` as a person runs it: a process, a simulated engine, and GPUs of the simulated NVML."""

import csv
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ..limits.waiting import journals
from ..limits.waiting import running as processes
from .curve import curve
from .running import Running, until
from .world import World

SHORT = ("--settle", "0.4", "--measure", "3", "--steps", "3")
POINT = {
    "power_limit_w", "power_w", "decode_tps", "prefill_tps", "joules_per_token", "sm_clock_mhz", "throttled_share",
    "samples",
}  # fmt: skip
STOCK_W = 450.0
BOTH: dict[str, Any] = {"load": "off", "decode": "3090 decode 27B x1", "prefill": "3090 prefill 27B x1"}

Start = Callable[..., Running]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Of the simulated NVML; no watchdog outlives the test."""
    yield tmp_path / "nvml.txt"
    until(lambda: not processes(tmp_path / "state"), "the end of the watchdogs")


@pytest.fixture
def start(nvml_library: Path, state: Path) -> Iterator[Start]:
    """Starts a command; all are ended with the test."""
    started: list[Running] = []

    def begin(*arguments: str, command: str = "tune", columns: int = 0) -> Running:
        started.append(Running(nvml_library, state, *arguments, command=command, columns=columns))
        return started[-1]

    yield begin
    for each in started:
        each.__exit__()


SWEEPS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "json": ({"load": "own", "gpus": 2}, ("--device", "0", "--device", "1", "--keep", "90%", "--json")),
    "kept": ({"load": "own"}, ("--keep", "0.9", "--keep-limit")),
    "csv": (BOTH, ("--keep", "0.8", "--load", "generate", "--both", "--csv")),
}
"""What the simulation does, and what is asked of llmtop."""


@pytest.fixture(scope="module", autouse=True)
def begun(nvml_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """Whole sweeps, each in a world of its own, begun before all other tests: most of it is waiting."""
    with ExitStack() as stack:
        runs: dict[str, Running] = {}
        for name, (settings, arguments) in SWEEPS.items():
            state = tmp_path_factory.mktemp(name) / "nvml.txt"
            world = stack.enter_context(World(state, scale=3.0, noise=0.004, **settings))
            runs[name] = stack.enter_context(Running(nvml_library, state, "--url", world.url, *SHORT, *arguments))
        yield runs


@pytest.fixture(scope="module")
def swept(begun: dict[str, Running]) -> dict[str, Running]:
    """The same at their end."""
    for run in begun.values():
        run.code = run.end()
    return begun


def test_two_gpus_move_in_step(begun: dict[str, Running]) -> None:
    run, seen, apart = begun["json"], set[float | None](), 0
    while len(seen) < 3 and run.process.poll() is None:
        apart = apart + 1 if run.limit_w(0) != run.limit_w(1) else 0
        assert apart < 50, "the second does not follow the first"
        if not apart:
            seen.add(run.limit_w(0))
        time.sleep(0.02)
    assert len(seen - {None}) >= 2


def is_back(run: Running, gpu: int) -> bool:
    return run.limit_w(gpu) == STOCK_W


def test_however_it_ends_the_limit_is_back_within_two_seconds(state: Path, start: Start) -> None:
    """Five runs at once, each on a GPU of its own, ended one after the other."""
    ends: list[tuple[str, Callable[[Running], object], int | None]] = [
        ("Ctrl-C", lambda run: run.type(b"\x03"), 130),
        ("SIGINT", lambda run: run.process.send_signal(signal.SIGINT), 130),
        ("SIGTERM", lambda run: run.process.send_signal(signal.SIGTERM), 130),
        ("SIGHUP", lambda run: run.process.send_signal(signal.SIGHUP), 130),
        ("closed terminal", lambda run: run.hang_up(), None),
        ("kill -9", lambda run: run.process.kill(), -signal.SIGKILL),
    ]
    with World(state, load="own", scale=3.0, gpus=len(ends), noise=0.004) as world:
        runs = [
            start(
                *("--url", world.url, "--device", str(gpu), "--settle", "0.4", "--measure", "2", "--steps", "60"),
                *([] if name in {"Ctrl-C", "closed terminal"} else ["--json"]),
                columns=80 if name in {"Ctrl-C", "closed terminal"} else 0,
            )
            for gpu, (name, _, _) in enumerate(ends)
        ]
        for gpu, run in enumerate(runs):
            run.wait_for_change(gpu)
        for gpu, (run, (name, end, code)) in enumerate(zip(runs, ends, strict=True)):
            end(run)
            back_s = until(partial(is_back, run, gpu), name, 10.0)
            assert back_s < 2.0, name
            returned = run.end()
            assert code is None or returned == code, (name, returned, run.said)
    for run in runs[1:4]:
        told = json.loads(run.seen)
        assert told["restored"] is True and told["points"] and told["baseline"]["power_limit_w"] == STOCK_W
        assert told["problem"] is None
    assert b"as before." in runs[0].seen


def test_after_a_power_cut_the_next_command_puts_it_back_and_says_so(state: Path, start: Start) -> None:
    with World(state, load="own", scale=3.0, noise=0.004) as world:
        run = start("--url", world.url, *SHORT)
        run.wait_for_change()
        watchdogs = processes(state.parent / "state")
        assert len(watchdogs) == 1
        os.kill(watchdogs[0], signal.SIGSTOP)
        run.process.kill()
        os.kill(watchdogs[0], signal.SIGKILL)
        run.process.wait()
        assert run.limit_w() != STOCK_W
        after = start("--version", command="")
        assert after.end() == 0
        after = start("--print-completion", "bash", command="")
        assert after.end() == 0
        (line,) = after.lines
        assert "power limit put back to 450 W" in line and "was cut off" in line
        assert run.limit_w() == STOCK_W
        again = start("--restore")
        assert again.end() == 0 and again.lines == [] and again.seen == b"nothing is left changed\n"


def test_who_may_not_set_it_is_told_the_command(state: Path, start: Start) -> None:
    with World(state, load="own", scale=3.0, noise=0.004) as world:
        world.change(forbid=True)
        time.sleep(0.3)
        run = start("--url", world.url, *SHORT, "--json")
        assert run.end() == 1 and run.seen == b""
        (line,) = run.lines
        assert "sudo nvidia-smi -i 0 -pl " in line
        watch = start("--url", world.url, "--settle", "0.5", "--measure", "6", columns=70)
        watch.wait_for(b"Set limits there")
        time.sleep(5.0)
        world.set_limit(300.0)
        until(lambda: b"450 W: decode" in watch.seen, "the point of before")
        time.sleep(5.0)
        watch.type(b"\x03")
        assert watch.end() == 0
        text = watch.seen.decode()
        assert "decode under each power limit" in text and "300 W" in text.split("decode under each")[1]
        assert watch.limit_w() == 300.0


def test_an_engine_that_dies_keeps_the_points(state: Path, start: Start) -> None:
    with World(state, load="own", scale=3.0, noise=0.004) as world:
        run = start("--url", world.url, *SHORT, "--json")
        run.wait_for_change()
        world.kill()
        time.sleep(1.0)
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 130
    told = json.loads(run.seen)
    assert told["points"] and told["restored"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--keep", "2"), 2, "'2' is no share"),
        (("--steps", "2"), 2, "3 to 60"),
        (("--settle", "0"), 2, "0"),
        (("--streams", "4"), 2, "--load generate"),
        (("--decode", "--prefill"), 2, "--prefill"),
        (("--json", "--csv"), 2, "--csv"),
        (("--url", "gopher://x"), 2, "'gopher'"),
        (("--url", "http://127.0.0.1:1"), 1, "127.0.0.1:1"),
        (("--url", "http://127.0.0.1:1", "--device", "rtx 9999"), 2, "nvidia0 (NVIDIA GeForce RTX 4090)"),
    ],
)
def test_bad_arguments_are_one_line(
    arguments: tuple[str, ...], code: int, words: str, state: Path, start: Start
) -> None:
    state.write_text("gpu 0\nname NVIDIA GeForce RTX 4090\nlimit_min 150000\nlimit_max 600000\n")
    run = start(*arguments)
    assert run.end() == code, run.said
    assert words in run.said.decode() and run.seen == b""
    assert run.limit_w() is None


def test_json_keeps_the_contract(swept: dict[str, Running]) -> None:
    run = swept["json"]
    assert run.code == 0, run.said
    told = json.loads(run.seen)
    assert told["schema"] == 1 and told["device"] == "nvidia0" and told["restored"] is True and told["problem"] is None
    assert [device["id"] for device in told["devices"]] == ["nvidia0", "nvidia1"]
    points = told["points"]
    assert all(set(point) >= POINT for point in [*points, told["baseline"], told["chosen"]])
    assert points[0]["power_limit_w"] == points[-1]["power_limit_w"] == told["baseline"]["power_limit_w"] == STOCK_W
    assert {point["power_limit_w"] for point in points} == {450.0, 340.0, 230.0}
    published = curve("4090 decode x1")
    for point in points:
        step = published.at(point["power_limit_w"])
        assert point["decode_tps"] == pytest.approx(3 * step.tps, rel=0.08)
        assert point["power_w"] == pytest.approx(2 * step.draw_w, rel=0.05)
        assert point["joules_per_token"] == pytest.approx(2 * point["power_w"] / point["decode_tps"] / 2, rel=0.05)
    assert told["chosen"]["power_limit_w"] == 340.0
    assert told["kept"] == pytest.approx(published.at(340.0).tps / published.at(450.0).tps, abs=0.03)
    assert told["saved_w"] == pytest.approx(2 * (published.at(450.0).draw_w - published.at(340.0).draw_w), rel=0.4)
    assert (run.limit_w(0), run.limit_w(1)) == (STOCK_W, STOCK_W)
    assert not journals(run.state.parent / "state" / "llmtop")


def test_a_limit_that_is_kept_says_what_undoes_it(swept: dict[str, Running], nvml_library: Path) -> None:
    run = swept["kept"]
    assert run.code == 0, run.said
    text = run.seen.decode()
    assert "340 W keeps " in text and "It draws " in text
    assert "The limit stays at 340 W. This undoes it: sudo nvidia-smi -i 0 -pl 450" in text
    assert "persistence mode" in text
    assert run.limit_w() == 340.0
    assert not journals(run.state.parent / "state" / "llmtop")
    with Running(nvml_library, run.state, "--restore") as after:
        assert after.end() == 0 and after.seen == b"nothing is left changed\n" and after.limit_w() == 340.0


def test_both_phases_under_a_load_of_its_own_as_csv(swept: dict[str, Running]) -> None:
    run = swept["csv"]
    assert run.code == 0, run.said
    rows = list(csv.DictReader(run.seen.decode().splitlines()))
    assert [row["phase"] for row in rows] == ["decode"] * 3 + ["prefill"] * 3
    for row in rows:
        published = curve(BOTH[row["phase"]]).at(float(row["power_limit_w"]))
        assert float(row["tps"]) == pytest.approx(3 * published.tps, rel=0.12)
        assert int(row["samples"]) > 0 and (row["phase"] == "prefill" or float(row["error_tps"]) > 0.0)
    for phase in ("decode", "prefill"):
        kept = [float(row["kept"]) for row in rows if row["phase"] == phase]
        assert kept[0] == 1.0 > kept[1] > kept[2]
    assert run.limit_w() == 370.0

"""The demo with the real llama.cpp: it starts, it streams, and it leaves nobody behind."""

import http.client
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from llmtop.tui.demo import Demo, DemoError, run
from llmtop.tui.demo.child import Child
from llmtop.tui.demo.choice import named_size
from llmtop.tui.demo.load import Stream
from llmtop.tui.demo.model import write
from llmtop.tui.demo.shape import SHAPES, Shape
from llmtop.tui.demo.weights import Tensor, tensors
from msgspec.structs import replace

from .processes import SEARCH, is_gone, wait_for

PROGRAM = """
import sys, threading
from pathlib import Path
from llmtop.tui.demo import Demo
with Demo(size="nano", folder=Path(sys.argv[1])) as demo:
    print(demo.url, flush=True)
    threading.Event().wait()
"""


def own_children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "tui.demo" in " ".join(child.cmdline())]


@pytest.fixture
def program(tmp_path: Path) -> Generator[subprocess.Popen[str]]:
    """The demo in a process of its own, that has come up."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=SEARCH, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        yield process
        process.kill()


def test_it_serves_tokens_and_is_kept_busy(tmp_path: Path) -> None:
    calls: list[list[psutil.Process]] = []
    with Demo(size="nano", folder=tmp_path, before_load=lambda: calls.append(own_children())) as demo:
        assert calls == [[]]
        assert demo.model == tmp_path / named_size("nano").file_name
        assert len(own_children()) == 2

        def metric(name: str) -> float:
            with urllib.request.urlopen(f"{demo.url}/metrics") as answer:
                lines = answer.read().decode().splitlines()
            return next(float(line.split()[1]) for line in lines if line.startswith(f"llamacpp:{name} "))

        assert wait_for(lambda: metric("tokens_predicted_total") > 200, 20)
        with urllib.request.urlopen(f"{demo.url}/slots") as answer:
            assert len(json.load(answer)) == 2
    assert not own_children()
    assert {path.name for path in tmp_path.iterdir()} == {demo.model.name}


def test_the_model_of_last_time_is_used_again_if_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / named_size("nano").file_name
    times: list[int] = []
    for spoil in (False, False, True):
        if spoil:
            path.write_bytes(path.read_bytes()[:-1000])
        with Demo(size="nano", folder=tmp_path, streams=1):
            times.append(path.stat().st_mtime_ns)
    assert times[0] == times[1] < times[2]


@pytest.mark.parametrize(
    ("shape", "quantization"),
    [
        (SHAPES["nano"], "Q4_0"),
        (SHAPES["nano"], "F16"),
        (SHAPES["nano-moe"], "Q4_0"),
        (replace(SHAPES["nano"], tied=True), "Q8_0"),
    ],
)
def test_every_token_is_one_event_with_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: Shape, quantization: str
) -> None:
    write(tmp_path / named_size("nano").file_name, shape, quantization=quantization)
    table = list(tensors(shape, quantization))

    def same(*_: object) -> list[Tensor]:
        return table

    monkeypatch.setattr(run, "tensors", same)
    with Demo(size="nano", folder=tmp_path, streams=0) as demo:
        site = urlsplit(demo.url)
        connection = http.client.HTTPConnection(site.hostname or "", site.port)
        body = {"prompt": "bada gego", "n_predict": 60, "ignore_eos": True, "stream": True}
        connection.request("POST", "/completion", json.dumps(body), {"Content-Type": "application/json"})
        events = [json.loads(line[6:]) for line in connection.getresponse() if line.startswith(b"data: ")]
    assert [event["stop"] for event in events] == [False] * 60 + [True]
    assert all(event["content"] for event in events[:-1])
    assert "\ufffd" not in "".join(event["content"] for event in events)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"])
def test_no_child_outlives_the_demo(program: subprocess.Popen[str], name: str) -> None:
    children = psutil.Process(program.pid).children(recursive=True)
    assert len(children) == 2
    program.send_signal(signal.Signals[name])
    assert wait_for(lambda: all(is_gone(child) for child in children), 2)


@pytest.mark.parametrize("moment", ["before the engine", "while it starts"])
def test_ctrl_c_at_any_moment_leaves_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if moment == "while it starts":
        monkeypatch.setattr(run, "_is_well", interrupt)
    hook = interrupt if moment == "before the engine" else None
    with pytest.raises(KeyboardInterrupt), Demo(size="nano", folder=tmp_path, before_load=hook):
        pytest.fail("it came up")
    assert not own_children()


def test_an_engine_that_dies_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF nonsense")

    def take(*_: object) -> Path:
        return bad

    monkeypatch.setattr(run, "_model", take)
    with pytest.raises(DemoError, match=r"^llama.cpp does not start: .*gguf.*$"), Demo(size="nano", folder=tmp_path):
        pytest.fail("it came up")
    assert not own_children()


def test_two_demos_do_not_meet(tmp_path: Path) -> None:
    with (
        Demo(size="nano", folder=tmp_path, streams=1) as first,
        Demo(size="nano", folder=tmp_path, streams=1) as second,
    ):
        assert second.url != first.url


@pytest.mark.parametrize("package", ["xllamacpp", "gguf"])
def test_a_missing_extra_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:

    def find(name: str) -> object:
        return None if name == package else object()

    monkeypatch.setattr(run, "find_spec", find)
    with pytest.raises(DemoError) as caught, Demo(size="nano", folder=tmp_path):
        pytest.fail("it came up")
    assert str(caught.value) == "llmtop demo needs the extra \"demo\": pip install 'llmtop-tui[demo]'"


def test_a_child_that_cannot_even_begin_says_why(tmp_path: Path) -> None:
    with Child("nothing", [], tmp_path) as child:
        assert wait_for(lambda: child.ended, 20)
        assert child.reason().endswith("No module named llmtop.tui.demo.nothing")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc here")
def test_what_the_engine_logs_never_cuts_the_line_that_is_waited_for(tmp_path: Path) -> None:
    with Demo(size="nano", folder=tmp_path, streams=1):
        for child in own_children():
            said, logged = (Path(f"/proc/{child.pid}/fd/{number}").stat() for number in (1, 2))
            assert said.st_ino != logged.st_ino


def test_a_folder_that_takes_no_log_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match=r"the demo cannot start a process with a log in .*: File exists"):
        Child("load", [], tmp_path / "file")


def test_a_stream_outlives_its_engine(tmp_path: Path) -> None:
    with Demo(size="nano", folder=tmp_path, streams=0) as demo:
        stream = Stream(demo.url, 1)
        assert stream.ask() > 100
    with pytest.raises(OSError, match="refused"):
        stream.ask()


def test_prompts_and_answers_vary_and_a_seed_repeats_them() -> None:
    bodies = [json.loads(Stream("http://127.0.0.1:1", seed).request()) for seed in (1, 2, 2)]
    assert bodies[1] == bodies[2] != bodies[0]
    assert all(20 <= len(body["prompt"].split()) <= 120 and 100 <= body["n_predict"] <= 500 for body in bodies)


def test_the_command_line_loads_no_engine() -> None:
    code = "import sys, llmtop.tui.demo; print({'xllamacpp', 'gguf', 'numpy', 'textual', 'rich'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], env=SEARCH, text=True).strip() == "set()"

"""A recording of a real run: it plays to the same picture, and holds nothing that anybody wrote."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from llmtop.probes.recorder import BadRecording, Recorder, load
from llmtop.tui.live import Live
from llmtop.tui.replay import Replay

from .engine import Clients, Server

ROOT = Path(__file__).parent.parent.parent
WORDS = "zebra quartz umbrella "
SECRET = "sk-open-sesame"


@pytest.fixture(scope="module")
def recorded(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    """A recording of a few busy seconds, and the snapshot that was on the screen at its end."""
    path = tmp_path_factory.mktemp("recording") / "run.jsonl"
    recorder = Recorder(path, "0", 0.5)
    with Server(small_model, f"key={SECRET}") as server, Clients(server, 2, prompt=WORDS, key=SECRET) as clients:
        clients.wait_for(20)
        live = Live([server.url], interval=0.5, api_key=SECRET, discover=False, record=recorder.add)
        live.start()
        live.settle()
        time.sleep(3)
        live.stop()
        time.sleep(0.3)
        snapshot = live.snapshot()
    recorder.close()
    return path, snapshot


def test_it_plays_to_the_same_picture(recorded: tuple[Path, object]) -> None:
    path, snapshot = recorded
    replay = Replay(load(path))
    replay.paused = True
    replay.seek(replay.duration)
    assert replay.snapshot() == snapshot
    replay.seek(replay.duration / 2)
    earlier = replay.snapshot()
    assert earlier != snapshot
    replay.seek(replay.duration)
    assert replay.snapshot() == snapshot


def test_it_holds_no_prompt_no_answer_and_no_key(recorded: tuple[Path, object]) -> None:
    text = recorded[0].read_text("utf-8")
    assert "n_decoded" in text
    for word in (*WORDS.split(), SECRET, "Bearer", "content"):
        assert word not in text


def test_it_is_cut_off_anywhere_and_still_plays(recorded: tuple[Path, object], tmp_path: Path) -> None:
    body = recorded[0].read_bytes()
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(body[: len(body) - 30])
    assert len(load(cut).samples) == len(load(recorded[0]).samples) - 1


@pytest.mark.parametrize("body", [b"", b"{}\n", b"\x00\xff", b'{"llmtop_recording":99,"version":"0","interval":1}\n'])
def test_what_is_no_recording_is_one_line(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(body)
    with pytest.raises(BadRecording) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_damaged_line_in_the_midst_is_named(recorded: tuple[Path, object], tmp_path: Path) -> None:
    lines = recorded[0].read_bytes().splitlines()
    lines[2] = b'{"source":1}'
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(BadRecording, match="line 3"):
        load(path)


def test_the_command_line_plays_it_and_never_writes_over_it(recorded: tuple[Path, object]) -> None:
    def llmtop(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "llmtop", *arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT / ".src")}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)

    played = llmtop("--replay", str(recorded[0]), "--once")
    assert played.returncode == 0
    assert "llama.cpp" in played.stdout
    refused = llmtop("--once", "--no-discover", "--record", str(recorded[0]))
    assert refused.returncode == 1
    assert "is there already" in refused.stderr

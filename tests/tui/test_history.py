"""The user's own runs, kept in a file."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from llmtop.estimator.own import Run
from llmtop.tui.history import KEPT, LARGEST, load, remember, runs_file
from msgspec.json import encode
from msgspec.structs import replace

RUN = Run(
    engine="llama.cpp",
    backend="cuda",
    device="RTX 4090",
    model="Qwen3-8B",
    quantization="Q4_K_M",
    phase="decode",
    ratio=0.94,
    when=1_790_000_000.5,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "llmtop" / "runs.jsonl"


def test_comes_back_as_it_was_oldest_first(file: Path) -> None:
    assert load(file) == []
    runs = [RUN, replace(RUN, quantization=None, phase="prefill"), replace(RUN, model='odd "name" ü\n')]
    for run in runs:
        remember(run, file)
    assert load(file) == runs
    assert len(file.read_bytes().splitlines()) == 3


def test_default_file_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert runs_file().is_relative_to(tmp_path)
    assert (runs_file().name, load()) == ("runs.jsonl", [])
    remember(RUN)
    assert load() == [RUN]


def test_bad_lines_do_not_cost_the_good_ones(file: Path) -> None:
    remember(RUN, file)
    with file.open("ab") as broken:
        broken.write(b'\n\n{"engine": "llama.cpp"}\nnull\n[]\n\xff\xfe\x00\n{"ratio": "fast"}\n' + b"[" * 5000 + b"\n")
    remember(replace(RUN, model="B"), file)
    with file.open("ab") as cut:
        cut.write(file.read_bytes().splitlines()[0][:40])
    remember(replace(RUN, model="C"), file)
    assert [run.model for run in load(file)] == ["Qwen3-8B", "B", "C"]


def test_a_newer_version_may_say_more(file: Path) -> None:
    remember(RUN, file)
    told = json.loads(file.read_bytes()) | {"streams": 4}
    file.write_text(json.dumps(told) + "\n")
    assert load(file) == [RUN]


def test_a_foreign_file_is_no_runs_and_takes_one(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(os.urandom(10_000))
    assert load(file) == []
    remember(RUN, file)
    assert load(file) == [RUN]


def test_the_file_stays_small_and_keeps_the_newest(file: Path) -> None:
    file.parent.mkdir()
    many = LARGEST // len(encode(RUN)) + 1
    file.write_bytes(b"".join(encode(replace(RUN, when=float(index))) + b"\n" for index in range(many)))
    size = file.stat().st_size
    for index in range(many, many + 100):
        remember(replace(RUN, when=float(index)), file)
    assert file.stat().st_size < size / 2
    assert [run.when for run in load(file)] == [float(index) for index in range(many + 100 - KEPT, many + 100)]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_huge_file_is_read_from_its_end(file: Path) -> None:
    file.parent.mkdir()
    with file.open("wb") as huge:
        huge.truncate(1 << 30)
    remember(RUN, file)
    assert load(file) == [RUN]
    assert file.stat().st_size < 1000


def test_no_path_and_no_owner_is_kept(file: Path) -> None:
    remember(replace(RUN, model="/home/me/models/Qwen3-8B"), file)
    remember(replace(RUN, model="org/Qwen3-8B"), file)
    assert load(file) == [RUN, RUN]
    assert b"/" not in file.read_bytes()
    told = json.loads(file.read_bytes().splitlines()[0])
    assert set(told) == {"engine", "backend", "device", "model", "quantization", "phase", "ratio", "when"}


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_nobody_else_may_read_it(file: Path) -> None:
    remember(RUN, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_in_its_place(file: Path) -> None:
    file.mkdir(parents=True)
    assert load(file) == []
    with pytest.raises(OSError, match="directory"):
        remember(RUN, file)


def test_two_writers_lose_nothing(file: Path) -> None:
    root = Path(__file__).parents[2]
    writer = """
import sys
from pathlib import Path
from llmtop.estimator.own import Run
from llmtop.tui.history import remember
for index in range(60):
    remember(Run(engine="e", backend="cpu", device="d", model=sys.argv[2], phase="decode", ratio=1, when=index),
             Path(sys.argv[1]))
"""
    environment = os.environ | {"PYTHONPATH": str(root / ".src")}
    writers = [subprocess.Popen([sys.executable, "-c", writer, file, name], env=environment) for name in "ABC"]
    assert [each.wait(60) for each in writers] == [0, 0, 0]
    runs = load(file)
    assert sorted((run.model, run.when) for run in runs) == [(name, index) for name in "ABC" for index in range(60)]

"""Where the output cannot go: a disk that is full, a stream that is closed, an encoding without the signs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PREDICT = "predict --hardware 'RTX 4090' --model Qwen3-8B"
FULL = "cannot write to the standard output: No space left on device"
pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {name: value for name, value in os.environ.items() if name not in {"PYTHONUNBUFFERED", "PYTHONUTF8"}}
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("llmtop", f"'{sys.executable}' -m llmtop")],
        env=settings | {"PYTHONPATH": str(ROOT / ".src")} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (f"llmtop {PREDICT} > /dev/full", 1, FULL),
        (f"llmtop {PREDICT} --json > /dev/full", 1, FULL),
        ("llmtop --version > /dev/full", 1, FULL),
        ("llmtop --print-completion bash > /dev/full", 1, FULL),
        (f"llmtop {PREDICT} --json >&-", 1, "there is no standard output to write to"),
    ],
)
def test_output_that_fails_is_said_in_one_line(line: str, code: int, said: str) -> None:
    done = shell(line)
    assert (done.returncode, done.stderr) == (code, f"llmtop: {said}\n")


@pytest.mark.parametrize("closed", ["2>&-", "2> /dev/full"])
def test_without_a_place_for_errors_the_code_tells(closed: str) -> None:
    assert shell(f"llmtop predict --hardware 'RTX 4909' --model Qwen3-8B {closed}").returncode == 2


def test_nobody_who_reads_is_no_fault() -> None:
    done = shell(f"{{ llmtop {PREDICT} --json; echo $? >&2; }} | true")
    assert done.stderr in {"1\n", "0\n"}


def test_signs_that_the_encoding_lacks_are_replaced() -> None:
    done = shell(f"llmtop {PREDICT} --explain", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "?" in done.stdout.splitlines()[0]
    assert done.stdout.isascii()


def test_a_name_that_is_no_text_is_said() -> None:
    """A path with bytes that are no UTF-8, which Python keeps as lone surrogates."""
    done = shell(r"""llmtop predict --hardware 'RTX 4090' --model "$(printf '/no/x\377')" """)
    assert (done.returncode, done.stderr) == (1, "llmtop: no such file or folder: /no/x?\n")

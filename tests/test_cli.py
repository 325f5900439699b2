"""The command line as a person uses it: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def llmtop(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {name: value for name, value in os.environ.items() if name != "LLMTOP_API_KEY"}
    return subprocess.run(
        [sys.executable, "-m", "llmtop", *arguments],
        env=settings | {"PYTHONPATH": str(ROOT / ".src")} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_version() -> None:
    assert llmtop("--version").stdout == "llmtop 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--bogus",), 2, "--bogus"),
        (("--interval", "0"), 2, "between 0.1 and 3600"),
        (("--interval", "soon"), 2, "'soon'"),
        (("--api-key", "sk-x"), 2, "--api-key"),
        (("--api-key-env", "NOT_THERE"), 2, "NOT_THERE"),
        (("--replay", "/nowhere/run.jsonl"), 1, "/nowhere/run.jsonl"),
        (("--replay", "x", "--url", "http://127.0.0.1:1"), 2, "--replay"),
        (("--once", "--record", "/nowhere/run.jsonl"), 1, "/nowhere/run.jsonl"),
        ((), 1, "needs a terminal"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: tuple[str, ...], code: int, words: str) -> None:
    done = llmtop(*arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_commands_and_options(shell: str) -> None:
    script = llmtop("--print-completion", shell).stdout
    assert "demo" in script
    assert "--replay" in script


def test_json_keeps_the_contract() -> None:
    done = llmtop("--once", "--json", "--no-discover", "--interval", "0.2", "--url", "http://127.0.0.1:1")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert set(document["host"]) >= {"name", "os", "cpu", "cores", "memory_total_bytes", "memory_used_bytes"}
    (engine,) = document["engines"]
    assert engine["status"] == "unreachable"
    assert engine["decode_tps"] is None
    assert set(engine) >= {
        "engine", "version", "url", "pid", "status", "problem", "model", "devices", "decode_tps", "prefill_tps",
        "decode_source", "liveness", "ttft_s", "tpot_s", "requests_running", "requests_waiting", "kv_cache_usage",
        "context_tokens", "ceiling", "expected", "mbu", "mfu", "power_w", "joules_per_token",
    }  # fmt: skip
    cpu = next(device for device in document["devices"] if device["id"] == "cpu")
    assert set(cpu) >= {
        "id", "name", "vendor", "kind", "memory_total_bytes", "memory_used_bytes", "utilization", "temperature_c",
        "sm_clock_mhz", "memory_clock_mhz", "power_w", "power_limit_w", "power_limit_min_w", "power_limit_max_w",
        "power_limit_default_w", "throttle_reasons", "bandwidth_gbs", "problem",
    }  # fmt: skip


def test_once_loads_neither_textual_nor_numpy() -> None:
    program = (
        "import sys; from llmtop.tui.cli import main; main(['--once', '--json', '--no-discover']);"
        "print([name for name in ('textual', 'numpy', 'rich') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr.strip() == "[]"


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m llmtop --once --json --no-discover | head -c 1"
    done = subprocess.run(
        ["sh", "-c", command],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_probe_says_what_this_machine_is() -> None:
    document = json.loads(llmtop("probe", "--json").stdout)
    assert any(device["id"] == "cpu" for device in document["devices"])
    assert "cpu" in llmtop("probe").stdout


def test_a_fault_of_llmtop_itself_is_one_line_and_a_log(tmp_path: Path) -> None:
    program = "from llmtop.tui import crash; crash.install(); 1 / 0"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src"), "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr.count("\n") == 1
    assert "ZeroDivisionError" in done.stderr
    (log,) = tmp_path.rglob("llmtop.log")
    assert "Traceback" in log.read_text()

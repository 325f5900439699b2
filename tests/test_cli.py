"""The command line as a person uses it: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ON_4090 = ("--hardware", "RTX 4090", "--model", "Qwen3-8B")


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
        (("--price", "free"), 2, "'free' is no price of a kWh"),
        (("--price", "0,30"), 2, "write it as 0.30"),
        (("demo", "--price", "1000"), 2, "between 0 and 1000"),
        (("--api-key", "sk-x"), 2, "--api-key"),
        (("--api-key-env", "NOT_THERE"), 2, "NOT_THERE"),
        (("--replay", "/nowhere/run.jsonl"), 1, "/nowhere/run.jsonl"),
        (("--replay", "x", "--url", "http://127.0.0.1:1"), 2, "--replay"),
        (("--once", "--record", "/nowhere/run.jsonl"), 1, "/nowhere/run.jsonl"),
        ((), 1, "needs a terminal"),
        (("nonsense",), 2, "nonsense"),
        (("predict",), 2, "--model"),
        (("predict", *ON_4090, "--quant=--"), 2, "'--quant=--' has no value"),
        (("predict", *ON_4090, "--batch", "0"), 2, "'0'"),
        (("predict", *ON_4090, "--batch", "-1"), 2, "--batch"),
        (("predict", *ON_4090, "--context", "-5"), 2, "'-5'"),
        (("predict", *ON_4090, "--context", "1e9"), 2, "'1e9'"),
        (("predict", *ON_4090, "--prompt", "²"), 2, "²"),
        (("predict", *ON_4090, "--gen", "0"), 2, "at least 1 token"),
        (("predict", *ON_4090, "--power-limit", "nan"), 2, "'nan'"),
        (("predict", *ON_4090, "--engine", "foo"), 2, "vLLM"),
        (("predict", *ON_4090, "--quant", "Q9_K"), 2, "Q9_K"),
        (("predict", *ON_4090, "--kv", "q9"), 2, "q9"),
        (("predict", *ON_4090, "--build", "soon"), 2, "2024-05"),
        (("predict", *ON_4090, "--build", "2024-13"), 2, "'2024-13' is no date"),
        (("predict", *ON_4090, "--build", "2024-00"), 2, "'2024-00' is no date"),
        (("predict", *ON_4090, "--quant", ""), 2, "names no quantisation"),
        (("predict", *ON_4090, "--weights", "1_0"), 2, "'1_0'"),
        (("predict", *ON_4090, "--devices", "٣"), 2, "'٣'"),
        (("predict", *ON_4090, "--gen", "9" * 5000), 2, "'999"),
        (("predict", "--hardware", "RTX 4090", "--model", "Qwen3-8B-Q9_K"), 2, "Q9_K"),
        (("predict", "--hardware", "RTX 4090", "--model", "/dev/zero"), 1, "no regular file"),
        (("accuracy", "/dev/zero"), 1, "no regular file"),
        (("predict", "--hardware", "RTX 4909", "--model", "Qwen3-8B"), 2, "RTX 4090"),
        (("predict", "--hardware", "M3 Max", "--model", "Qwen3-8B"), 2, "Apple M3 Max 30c"),
        (("predict", "--hardware", "RTX 4090", "--model", "Lama-3.1-8b"), 2, "Llama-3.1-8B"),
        (("predict", "--hardware", "RTX 4090", "--model", "/nowhere/x.gguf"), 1, "/nowhere/x.gguf"),
        (("accuracy", "/nowhere/rows.csv"), 1, "/nowhere/rows.csv"),
        (("accuracy", "--by", "colour"), 2, "colour"),
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
    for word in ("demo", "--replay", "predict", "accuracy", "--power-limit"):
        assert word in script


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
        "context_tokens", "ceiling", "expected", "mbu", "mfu", "power_w", "joules_per_token", "session",
    }  # fmt: skip
    cpu = next(device for device in document["devices"] if device["id"] == "cpu")
    assert set(cpu) >= {
        "id", "name", "vendor", "kind", "memory_total_bytes", "memory_used_bytes", "utilization", "temperature_c",
        "sm_clock_mhz", "memory_clock_mhz", "power_w", "power_limit_w", "power_limit_min_w", "power_limit_max_w",
        "power_limit_default_w", "throttle_reasons", "bandwidth_gbs", "problem",
    }  # fmt: skip


def test_a_price_is_part_of_the_power_of_the_machine() -> None:
    done = llmtop("--json", "--no-discover", "--interval", "0.2", "--price", "0.30 EUR")
    power = json.loads(done.stdout)["power"]
    assert (power["price"], power["currency"]) == (0.3, "EUR")
    assert set(power) >= {"power_w", "basis", "energy_j", "energy_basis", "kwh", "seconds", "gap_s", "cost"}
    assert (power["cost"] is None) == (power["kwh"] is None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--once", "--json", "--no-discover"),
        ("predict", *ON_4090, "--explain"),
        ("predict", *ON_4090, "--explain", "--json"),
        ("accuracy", "--json"),
    ],
)
def test_what_answers_at_once_loads_neither_textual_nor_numpy(arguments: tuple[str, ...]) -> None:
    program = (
        f"import sys; from llmtop.tui.cli import main; main({arguments!r});"
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


def test_a_prediction_says_the_answer_first() -> None:
    done = llmtop("predict", "--hardware", "RTX 4090", "--model", "llama-2-7b", "--quant", "q4_0", COLUMNS="80")
    assert done.returncode == 0
    assert " tok/s decode (" in done.stdout.splitlines()[0]
    assert "rule of thumb 144 bandwidth / parameters in the name · 150 bandwidth / parameters" in " ".join(
        done.stdout.split()
    )


def test_a_prediction_for_this_machine_has_an_answer_or_says_what_to_do(tmp_path: Path) -> None:
    done = llmtop("predict", "--model", "Qwen3-0.6B", XDG_CACHE_HOME=str(tmp_path))
    if done.returncode == 0:
        assert " tok/s decode (" in done.stdout
    else:
        assert done.returncode == 1
        assert "llmtop probe --measure" in done.stderr
        assert done.stderr.count("\n") == 1


def test_accuracy_prints_the_shipped_rows() -> None:
    document = json.loads(llmtop("accuracy", "--json").stdout)
    assert document["schema"] == 1
    assert document["rows"] == sum(1 for _ in (ROOT / "estimator/data/published.csv").open()) - 1
    assert document["answered"] + sum(document["problems"].values()) == document["rows"]
    assert document["overall"]["median_error"] < 0.15


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

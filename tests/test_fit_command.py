"""`llmtop fit` as a program."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .measured import keep_measurement

ROOT = Path(__file__).parent.parent
NEW_USER = "RTX 3060 12GB + 32GB RAM"


def fit(*arguments: str, columns: int = 80, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "llmtop", "fit", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src"), "COLUMNS": str(columns)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_new_user_s_question_is_answered_by_one_command_in_eighty_columns() -> None:
    lines = fit("--hardware", "a 12 GB 3060 and 32 GB RAM").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("RTX 3060 12GB (12.0 GiB), CPU (32.0 GiB) · llama.cpp")
    assert lines[2].split()[:2] == ["MODEL", "QUANT"]
    assert len(lines) <= 24, "one screen"
    assert any("GPU" in line for line in lines[3:])


def test_the_json_has_the_fields_that_were_promised() -> None:
    document = json.loads(fit("--hardware", NEW_USER, "--json", "--all").stdout)
    assert document["schema"] == 1
    assert document["hardware"]["gpus"][0]["name"] == "RTX 3060 12GB"
    assert len({row["model"] for row in document["models"]}) > 150
    for row in document["models"]:
        assert {"model", "quant", "parameters", "active_parameters", "memory_free_bytes", "limit"} <= row.keys()
        if row["fits"]:
            assert row["decode_tps"]["low"] <= row["decode_tps"]["value"] <= row["decode_tps"]["high"]
            assert row["basis"]
            assert row["runs_on"] in {"gpu", "gpu+cpu", "cpu"}
            assert row["memory_bytes"] <= row["memory_free_bytes"] * 1.001
            if row["runs_on"] == "gpu+cpu":
                assert row["gpu_layers"] == int(row["gpu_share"] * row["layers"] + 1e-6), "what -ngl takes"
                assert 0 < row["gpu_layers"] < row["layers"]
        else:
            assert row["decode_tps"] is None
            assert row["runs_on"] is None


def test_the_table_as_csv_and_as_markdown() -> None:
    rows = list(csv.DictReader(io.StringIO(fit("--hardware", NEW_USER, "--csv", "--top", "5").stdout)))
    assert len(rows) == 5
    assert float(rows[0]["decode_tps_low"]) <= float(rows[0]["decode_tps"]) <= float(rows[0]["decode_tps_high"])
    table = [line for line in fit("--hardware", NEW_USER, "--markdown").stdout.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1


def test_filters_leave_out_what_they_say() -> None:
    def rows(*arguments: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(fit("--hardware", NEW_USER, "--json", *arguments).stdout)["models"]
        return found

    assert all(row["memory_bytes"] <= 6 << 30 for row in rows("--max-memory", "6"))  # type: ignore[operator]
    assert {row["quant"] for row in rows("--quant", "q4")} == {"Q4_K_M"}
    assert len(rows("--top", "3")) == 3
    assert all("code" in row["tasks"] for row in rows("--task", "code"))  # type: ignore[operator]
    slow, fast = rows(), rows("--min-tps", "40")
    assert slow != fast
    longer = rows("--context", "32768", "--all")
    assert sum(bool(row["fits"]) for row in longer) < sum(bool(row["fits"]) for row in rows("--all"))


def test_one_model_in_depth() -> None:
    said = fit("Qwen3-14B", "--hardware", NEW_USER).stdout
    for words in (
        "Q8_0",
        "Q4_K_M",
        "with the context full",
        "KV cache",
        "Batching",
        "knee",
        "binds",
        "What would help",
    ):
        assert words in said
    assert "one RTX 3060 12GB more" in said
    document = json.loads(fit("Qwen3-14B", "--hardware", NEW_USER, "--json").stdout)
    longest = {each["kv"]: each["max_context"] for each in document["caches"]}
    assert longest["q4_0"] > longest["q8_0"] > longest["f16"]
    assert [each["context"] for each in document["contexts"]] == sorted(
        each["context"] for each in document["contexts"]
    )


def test_a_model_that_is_too_large_has_no_speed() -> None:
    said = fit("DeepSeek-R1", "--hardware", "RTX 3060 12GB").stdout
    assert "missing" in said
    assert "no:" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hardware", "RTX 3061"), "nearest: "),
        (("--hardware", "EPYC 9354"), "how much RAM has the machine with EPYC 9354?"),
        (("--hardware", "Ryzen 9 7950X 64GB + EPYC 9354 64GB"), "one kind of CPU"),
        (("Qwen3-14C", "--hardware", "RTX 4090"), "nearest: "),
        (("--quant", "Q9_X", "--hardware", "RTX 4090"), "unknown number format"),
        (("--engine", "llama.ccp", "--hardware", "RTX 4090"), "nearest: llama.cpp"),
        (("--task", "cooking"), "invalid choice"),
        (("", "--hardware", "RTX 4090"), "unknown model"),
        (("--top", "0"), "whole number above 0"),
        (("--threads", "0"), "whole number above 0"),
        (("--context", "0x10"), "--context"),
        (("--json", "--csv"), "not allowed with"),
        (
            ("--hardware", "RTX 3060 32GB"),
            "there is no RTX 3060 with 32 GB (8, 12); for RAM write: RTX 3060 12GB + 32GB RAM",
        ),
        (("--hardware", "99999x RTX 4090"), "1 to 64 of a kind"),
        (("--hardware", "0GB RAM"), "a machine has some memory"),
        (("--hardware", "M4 Max 40c + 64GB RAM"), "has no memory but its own"),
        (("--hardware", "RTX 4090", "--min-tps", "1e9"), "no number above 0 and up to 1000000"),
        (("--hardware", "RTX 4090", "--quant", ""), "--quant names no quantisation: it is empty"),
        (("--hardware", "RTX 4090", "--quant", "nonsense"), "common in llama.cpp: BF16, Q8_0"),
        (("--hardware", "RTX 4090", "--kv", "q9"), "there are f16, bf16"),
        (("--hardware", "RTX 4090", "--engine", "abacus"), "there are llama.cpp, Ollama"),
        (("--hardware", "РТХ 4090 🤖"), "nearest: RTX 4090"),
        (("模型", "--hardware", "RTX 4090"), "unknown model"),
    ],
)
def test_what_is_wrong_is_one_clear_line(arguments: tuple[str, ...], said: str) -> None:
    done = fit(*arguments, code=2)
    assert said in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("llmtop")]) == 1


def test_a_file_has_its_own_quantisation_and_nothing_is_said_of_other_flags(tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF")
    (line,) = fit(str(file), "--quant", "Q4_K_M", "--hardware", "RTX 4090", code=2).stderr.splitlines()
    assert line.endswith("mine.gguf is a file with its own quantisation: leave --quant out")
    assert "--weights" not in line


def test_the_answer_says_what_to_take() -> None:
    said = " ".join(fit("--hardware", "12 GB 3060 and 32 GB RAM").stdout.split())
    assert "Take the first: the most capable of those that are as fast as one reads (8 tok/s)" in said
    rows = json.loads(fit("--hardware", NEW_USER, "--json").stdout)["models"]
    whole = next(row["model"] for row in rows if row["runs_on"] == "gpu")
    assert rows[0]["runs_on"] == "gpu+cpu"
    assert f"all on the GPU: {whole}." in said
    assert "that reach 40 tok/s" in " ".join(fit("--hardware", NEW_USER, "--min-tps", "40").stdout.split())


def test_a_memory_that_was_taken_is_said() -> None:
    said = " ".join(fit("--hardware", "M4 Max 40c").stdout.split())
    assert "Apple M4 Max 40c is taken with 128 GB of memory, the most that is sold" in said
    assert "is taken with" not in fit("--hardware", "M4 Max 40c 64GB").stdout


def test_a_context_that_no_model_has_is_said() -> None:
    one = fit("Qwen3-8B", "--hardware", "RTX 4090", "--context", "10000000").stdout
    assert "40960 tokens of context" in one.splitlines()[0]
    assert "10000000" not in one
    none = fit("--compare", "RTX 4090", "RTX 3090", "--context", "10000000", code=1).stderr
    assert "ask for less --context" in none
    assert "more --max-memory" in fit("--compare", "RTX 4090", "RTX 3090", "--max-memory", "0.1", code=1).stderr


def test_a_broken_file_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 64)
    done = fit(str(file), "--hardware", "RTX 4090", code=1)
    assert len(done.stderr.strip().splitlines()) == 1


def test_it_needs_neither_textual_nor_a_network() -> None:
    check = (
        "import sys, socket\n"
        "def no(*_, **__): raise AssertionError('network')\n"
        "socket.socket.connect = no; socket.getaddrinfo = no\n"
        "from llmtop.tui.cli import main\n"
        f"code = main(['fit', '--hardware', {NEW_USER!r}])\n"
        "assert 'textual' not in sys.modules and 'numpy' not in sys.modules\n"
        "raise SystemExit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", check],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def here(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run on this machine, in a home and a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "llmtop", "fit", *arguments],
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": str(ROOT / ".src"), "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_is_on_the_disk_comes_first_with_its_real_bytes(tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="the extra demo is not installed")
    from llmtop.tui.demo.model import write  # noqa: PLC0415
    from llmtop.tui.demo.shape import Shape  # noqa: PLC0415

    file = tmp_path / "mine.gguf"
    write(file, Shape(width=256, layers=4, heads=4, kv_heads=2, head_width=64, feed_forward=512, vocabulary=4096))
    keep_measurement(tmp_path / "cache")
    document = json.loads(here(tmp_path, "--json").stdout)
    (found,) = document["on_disk"]
    assert (found["model"], found["store"], found["fits"]) == ("./mine.gguf", "folder", True)
    assert found["memory_bytes"] > 0.95 * file.stat().st_size
    assert found["decode_tps"]["value"] > 0
    assert document["hardware"]["local"] is True
    said = here(tmp_path).stdout
    assert said.index("On this disk") < said.index("./mine.gguf") < said.index("In the catalogue")
    assert "mine.gguf" not in here(tmp_path, "--task", "code").stdout


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="a machine with a GPU needs no measurement")
def test_a_machine_that_was_never_measured_says_what_to_do(tmp_path: Path) -> None:
    done = here(tmp_path)
    assert done.returncode == 1
    assert "llmtop probe --measure" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_models_that_give_vectors_are_shown_to_who_asks() -> None:
    everything = json.loads(fit("--hardware", NEW_USER, "--json", "--all").stdout)["models"]
    assert not any("embed" in row["tasks"] for row in everything)
    asked = json.loads(fit("--hardware", NEW_USER, "--json", "--task", "embed", "--min-tps", "1").stdout)["models"]
    assert asked
    assert all("embed" in row["tasks"] for row in asked)


def test_a_context_beyond_the_model_s_own_is_not_said_to_fit() -> None:
    """Qwen3-8B was made for 40960 tokens: 150 GB of cache for a million would be a lie."""
    listed = json.loads(fit("--hardware", NEW_USER, "--json", "--all", "--context", "200000").stdout)["models"]
    assert listed
    assert all(row["max_context"] is None or row["max_context"] >= 200_000 for row in listed if row["runs_on"] == "cpu")
    assert "Qwen3-8B" not in {row["model"] for row in listed}
    said = fit("Qwen3-8B", "--hardware", "RTX 4090", "--context", "1000000").stdout
    assert "Qwen3-8B has 40960 tokens of context at most" in said
    assert "no:" not in said


def test_what_is_said_of_the_rows_is_true_of_them() -> None:
    said = fit("--hardware", "RTX 4090", "--min-tps", "100000").stdout
    assert "none of which" in said
    assert "more --max-memory" in fit("--hardware", "RTX 4090", "--max-memory", "0.01", code=1).stderr
    assert (
        "vLLM runs on none of the devices (Apple M3 Max"
        in fit("--hardware", "M3 Max 40c 64GB", "--engine", "vLLM", code=1).stderr
    )

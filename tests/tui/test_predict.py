"""One prediction from flags: names, numbers by hand, and what is said where it cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.predict import predict
from llmtop.estimator.software import UNKNOWN
from llmtop.tui.answer import text
from llmtop.tui.arguments import parser
from llmtop.tui.predict import document
from llmtop.tui.predict import predict as command
from llmtop.tui.refusal import Refusal, WrongUsage

from ..models.build import build
from .asking import ask, ask_for

GBS_4090 = 384 / 8 * 21.008
"""384 bit at 21.008 GT/s."""


def answered(*flags: str) -> dict[str, Any]:
    about = ask(*flags)
    found: dict[str, Any] = json.loads(document(about, predict(about.question)))
    return found


def test_the_rules_of_thumb_of_7b_q4_on_a_4090_stand_beside_the_estimate_and_the_ceiling() -> None:
    found = answered("--hardware", "RTX 4090", "--model", "llama-2-7b", "--quant", "q4_0")
    rules = found["rules_of_thumb"]
    assert rules["bandwidth / parameters in the name"] == pytest.approx(144, abs=0.5)
    assert rules["bandwidth / parameters"] == pytest.approx(150, abs=0.5)
    assert 186.21 in [each["decode_tps"] for each in found["published"]]
    matrices = 32 * (4 * 4096**2 + 3 * 4096 * 11008) * 4.5 / 8
    head, norms = 32000 * 4096 * 6.5625 / 8, 65 * 4096 * 4
    cache = 2 * 32 * 4096 * 2 * (512 + 64)
    assert found["ceiling"]["decode_tps"] == pytest.approx(GBS_4090 * 1e9 / (matrices + head + norms + cache), rel=1e-3)
    assert found["ceiling"]["limit"] == "bandwidth"
    assert found["decode_tps"]["low"] < 186 < found["decode_tps"]["high"]
    assert found["decode_tps"]["high"] <= found["ceiling"]["decode_tps"]


def test_the_document_keeps_the_contract() -> None:
    found = answered("--hardware", "RTX 4090", "--model", "Qwen3-8B", "--batch", "8", "--power-limit", "315")
    assert found["schema"] == 1
    for name in ("decode_tps", "prefill_tps", "throughput_tps", "ttft_s"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    assert set(found) >= {"limit", "memory_bytes", "fits", "terms", "rules_of_thumb", "basis", "hardware", "model"}
    assert found["hardware"] == ["RTX 4090"]
    assert (found["model"], found["quant"], found["engine"], found["backend"]) == (
        "Qwen3-8B",
        "Q4_K_M",
        "llama.cpp",
        "cuda",
    )
    assert found["streams"] == 8
    step = found["terms"]["decode"]
    assert {tuple(term) for term in step} == {("name", "seconds", "bytes", "share")}
    assert sum(term["share"] for term in step) == pytest.approx(1.0)
    slowed = sum(term["seconds"] for term in step) / found["draw"]["kept"]
    assert found["decode_tps"]["value"] == pytest.approx(8 / slowed)


def test_unknown_is_null() -> None:
    found = answered("--hardware", "Apple M3 Max 30c", "--model", "Qwen3-8B", "--prompt", "0")
    assert found["prefill_tps"] is None
    assert found["ttft_s"] is None
    assert found["draw"] is None
    assert found["power_limit_w"] is None


@pytest.mark.parametrize(
    ("name", "row", "bandwidth_gbs"),
    [
        ("RTX A1000", "RTX A1000", 192),
        ("Tesla M40", "Tesla M40", 288.4),
        ("RTX 6000 Ada", "RTX 6000 Ada", 960),
        ("RTX 4090 Laptop", "RTX 4090 Laptop", 576),
        ("M3 Max 30c", "Apple M3 Max 30c", 300),
        ("NVIDIA GeForce RTX 4090", "RTX 4090", 1008.4),
    ],
)
def test_hardware_is_the_one_that_is_named(name: str, row: str, bandwidth_gbs: float) -> None:
    about = ask_for(name, "Qwen3-8B")
    assert about.hardware == (row,)
    assert about.question.devices[0].bandwidth_gbs.peak == pytest.approx(bandwidth_gbs, rel=0.03)


@pytest.mark.parametrize(
    ("hardware", "model", "words"),
    [
        ("RTX 4909", "Qwen3-8B", "RTX 4090"),
        ("M3 Max", "Qwen3-8B", "Apple M3 Max 30c or Apple M3 Max 40c"),
        ("A100", "Qwen3-8B", "A100 SXM 80GB"),
        ("RTX 4090", "Lama-3.1-8b", "Llama-3.1-8B"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_nearest(hardware: str, model: str, words: str) -> None:
    with pytest.raises(UnknownName, match=words):
        ask_for(hardware, model)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--engine", "foo"), "vLLM"),
        (("--quant", "bogus"), "Q4_K_M"),
        (("--backend", "foo"), "cuda, metal"),
        (("--backend", "rocm"), "does not run on RTX 4090: try cuda"),
        (("--backend", "cpu"), "does not run on RTX 4090"),
        (("--build", "soon"), "2024-05"),
        (("--engine", "vulkanforge", "--backend", "cuda"), "vulkanforge has no backend cuda"),
    ],
)
def test_wrong_usage_is_said(flags: tuple[str, ...], words: str) -> None:
    with pytest.raises(WrongUsage, match=words):
        ask_for("RTX 4090", "Qwen3-8B", *flags)


@pytest.mark.parametrize(
    ("model", "row", "quant"),
    [
        ("Qwen3.6-27B UD-Q3_K_XL", "Qwen3.6-27B", "Q3_K_XL"),
        ("llama3.1:8b-q4_K_M", "Llama-3.1-8B", "Q4_K_M"),
        ("gpt-oss-20b MXFP4", "gpt-oss-20b", "MXFP4"),
        ("gpt-oss-20b", "gpt-oss-20b", "MXFP4"),
        ("Qwen3-8B-Q8_0.gguf", "Qwen3-8B", "Q8_0"),
        ("Qwen3-8B", "Qwen3-8B", "Q4_K_M"),
    ],
)
def test_the_quantisation_may_stand_in_the_name(model: str, row: str, quant: str) -> None:
    about = ask_for("RTX 4090", model)
    assert (about.model, about.quant) == (row, quant)


def test_what_was_taken_is_said() -> None:
    assert ask_for("RTX 4090", "Qwen3-8B", "--quant", "q4").notes == ("q4 is taken as Q4_K_M",)
    assert ask_for("RTX 4090", "Qwen3-8B", "--quant", "Q4_K_M").notes == ()
    assert ask_for("H100 SXM", "Qwen3-8B", "--engine", "vllm").notes == (
        "no quantisation was named: BF16 is usual for vLLM",
    )
    assert any("llama.cpp has no files in AWQ-INT4" in note for note in ask_for("RTX 4090", "Qwen3-8B-AWQ").notes)


def test_a_context_above_the_limit_is_answered_and_said() -> None:
    about = ask_for("RTX 4090", "llama-2-7b", "--context", "9000")
    assert any("9000 tokens of context are above the model's limit of 4096" in note for note in about.notes)
    assert predict(about.question).decode_tps.value > 0


def test_the_size_of_the_file_may_be_given() -> None:
    facts = ask_for("RTX 4090", "Qwen3-8B", "--quant", "Q4_K_M", "--weights", "4.68").question.facts
    assert facts.weight_bytes == pytest.approx(4.68 * 2**30, rel=1e-6)


def test_a_model_that_does_not_fit_is_answered_with_a_part_on_the_cpu() -> None:
    about = ask_for("RTX 4090", "Llama-3.3-70B", "--quant", "Q4_K_M")
    found = predict(about.question)
    said = text(about, found)
    assert not found.fits
    assert said.startswith("DOES NOT FIT: ")
    assert "GiB missing" in said
    assert found.decode_tps.value < 10


@pytest.mark.parametrize("hardware", ["Ryzen 9 7950X", "Raspberry Pi 5", "Radeon 780M"])
def test_whether_it_fits_into_unknown_memory_is_not_known(hardware: str) -> None:
    about = ask_for(hardware, "Llama-3.3-70B", "--quant", "Q4_K_M")
    found = predict(about.question)
    told = json.loads(document(about, found))
    assert told["fits"] is None and told["memory_usable_bytes"] is None
    said = " ".join(text(about, found).split())
    assert f"whether that fits is not known: {hardware} may have any size of memory" in said
    assert "DOES NOT FIT" not in said and "it fits" not in said


def test_the_order_of_cards_of_several_makers_does_not_matter() -> None:
    found = [
        predict(ask("--hardware", one, "--hardware", other, "--model", "Qwen3-8B").question)
        for one, other in (("RTX 4090", "RX 7900 XTX"), ("RX 7900 XTX", "RTX 4090"))
    ]
    assert found[0].decode_tps.value == pytest.approx(found[1].decode_tps.value)
    with pytest.raises(WrongUsage, match="no backend for RTX 4090 and Apple M3 Max 30c together"):
        ask("--hardware", "RTX 4090", "--hardware", "M3 Max 30c", "--model", "Qwen3-8B")


@pytest.mark.parametrize("names", [("EPYC 9654", "RTX 4090"), ("RTX 4090", "EPYC 9654")])
def test_a_cpu_beside_a_gpu_is_its_host_in_any_order(names: tuple[str, str]) -> None:
    """42.5 GB of Q4_K_M do not go into 24: the rest is read with 460.8 GB/s instead of the 64 of a usual host."""
    flags = [flag for name in names for flag in ("--hardware", name)]
    about = ask(*flags, "--model", "Llama-3.3-70B", "--devices", "1")
    assert (about.question.software.backend, about.hardware_words) == ("cuda", "RTX 4090 + EPYC 9654")
    usual = predict(ask_for("RTX 4090", "Llama-3.3-70B").question).decode_tps.value
    assert predict(about.question).decode_tps.value > 1.5 * usual
    small = predict(ask(*flags, "--model", "Qwen3-8B").question)
    assert small.decode_tps == predict(ask_for("RTX 4090", "Qwen3-8B").question).decode_tps


def test_a_cpu_has_no_part_where_the_engine_leaves_it_nothing() -> None:
    about = ask("--hardware", "RTX 4090", "--hardware", "EPYC 9654", "--model", "Qwen3-8B", "--engine", "vllm")
    assert about.hardware == ("RTX 4090",)
    assert "vLLM leaves nothing to a CPU: EPYC 9654 has no part in the answer" in about.notes
    with pytest.raises(WrongUsage, match="beside GPUs goes one CPU, not EPYC 9654 and EPYC 7763"):
        ask("--hardware", "RTX 4090", "--hardware", "EPYC 9654", "--hardware", "EPYC 7763", "--model", "Qwen3-8B")


@pytest.mark.parametrize(
    ("hardware", "runs", "words"),
    [
        ("M2 10c", "tensorrt-llm", "TensorRT-LLM does not run on Apple M2 10c: it runs on NVIDIA GPUs"),
        ("EPYC 9654", "exllamav2", r"ExLlamaV2 does not run on EPYC 9654: it runs on .* AMD GPUs \(rocm\)"),
        ("Tesla K80", "vllm", r"from compute capability 7\.0"),
    ],
)
def test_an_engine_that_does_not_run_there_is_refused(hardware: str, runs: str, words: str) -> None:
    with pytest.raises(WrongUsage, match=words):
        ask_for(hardware, "Qwen3-8B", "--engine", runs)


def test_the_memory_that_was_taken_is_said() -> None:
    said = "Apple M3 Max 30c is taken with 96 GB of memory, the most that is sold; write its size behind the name"
    assert said in ask_for("M3 Max 30c", "Qwen3-8B").notes
    assert said not in ask_for("M3 Max 30c 64GB", "Qwen3-8B").notes
    assert not any("memory" in note for note in ask_for("DGX Spark", "Qwen3-8B").notes)


def test_an_engine_behind_an_api_is_said_to_be_unknown() -> None:
    assert any("nothing but its API" in note for note in ask_for("RTX 4090", "Qwen3-8B", "--engine", UNKNOWN).notes)


def test_several_devices() -> None:
    assert ask_for("RTX 4090", "Qwen3-8B", "--devices", "3").hardware_words == "3 x RTX 4090"
    unlike = ask("--hardware", "RTX 4090", "--hardware", "RTX 3090", "--model", "Qwen3-8B")
    assert unlike.hardware == ("RTX 4090", "RTX 3090")


@pytest.mark.parametrize(
    ("hardware", "devices", "host", "gib"),
    [
        ("2x RTX 3090", ("RTX 3090", "RTX 3090"), None, 24),
        ("EPYC 9354 12xDDR5-4800 384GB", ("EPYC 9354",), None, 384),
        ("RTX 3060 12GB + 32GB RAM", ("RTX 3060 12GB",), "CPU", 12),
        ("a 12 GB 3060 and 32 GB RAM", ("RTX 3060 12GB",), "CPU", 12),
        ("M4 Max 40c 64GB", ("Apple M4 Max 40c",), None, 64),
        ("RTX 4090 + Ryzen 9 7950X 64GB", ("RTX 4090",), "Ryzen 9 7950X", 24),
    ],
)
def test_hardware_may_be_a_described_machine(
    hardware: str, devices: tuple[str, ...], host: str | None, gib: int
) -> None:
    question = ask_for(hardware, "Qwen3-8B").question
    assert tuple(device.name for device in question.devices) == devices
    assert {device.memory_total_bytes for device in question.devices} == {gib << 30}
    assert (question.host.name if question.host else None) == host
    assert len({device.id for device in question.devices}) == len(devices)
    assert answered("--hardware", hardware, "--model", "Qwen3-8B")["hardware"] == [*devices, *([host] if host else [])]


def test_devices_multiplies_what_is_described() -> None:
    about = ask_for("2x RTX 3090 + 64GB RAM", "Qwen3-8B", "--devices", "3")
    assert about.hardware_words == "6 x RTX 3090 + CPU"
    assert len({device.id for device in about.question.devices}) == 6


def test_what_was_taken_of_a_described_machine_is_said() -> None:
    ram = "the RAM is taken as two channels of DDR4-3200, assumed: 51 GB/s"
    assert ram in ask_for("RTX 3060 12GB + 32GB RAM", "Qwen3-8B").notes
    assert not any("RAM" in note for note in ask_for("RTX 3060 12GB + 4xDDR4-3200 32GB", "Qwen3-8B").notes)
    most = "Apple M4 Max 40c is taken with 128 GB of memory, the most that is sold; write its size behind the name"
    assert most in ask_for("M4 Max 40c", "Qwen3-8B").notes
    assert most not in ask_for("M4 Max 40c 128GB", "Qwen3-8B").notes
    with pytest.raises(WrongUsage, match="has no memory but its own"):
        ask_for("M4 Max 40c + 64GB RAM", "Qwen3-8B")
    with pytest.raises(UnknownName, match=r"for RAM write: RTX 3060 12GB \+ 32GB RAM"):
        ask_for("RTX 3060 32GB", "Qwen3-8B")


def test_a_rest_that_the_ram_does_not_hold_either_is_said() -> None:
    """42.5 GB for 12 + 16 GiB."""
    about = ask_for("RTX 3060 12GB + 16GB RAM", "Llama-3.3-70B", "--quant", "Q4_K_M")
    said = " ".join(text(about, predict(about.question)).split())
    assert "which has no room for it either" in said
    roomy = ask_for("RTX 3060 12GB + 64GB RAM", "Llama-3.3-70B", "--quant", "Q4_K_M")
    assert "no room" not in text(roomy, predict(roomy.question))


def test_a_limit_that_no_law_is_known_for_is_said() -> None:
    about = ask_for("M3 Max 40c", "Qwen3-8B", "--power-limit", "40")
    assert any("is not known" in note for note in about.notes)
    assert predict(about.question).draw is None


def test_a_power_limit_costs_speed_and_saves_energy() -> None:
    free = predict(ask_for("RTX 4090", "Qwen3-8B").question)
    held = predict(ask_for("RTX 4090", "Qwen3-8B", "--power-limit", "225").question)
    assert held.decode_tps.value < free.decode_tps.value
    assert held.draw and free.draw
    assert held.draw.power_w <= 225
    assert held.draw.joules_per_token < free.draw.joules_per_token


def test_a_file_says_what_it_is(tmp_path: Path) -> None:
    model = build(
        tmp_path / "tiny.gguf",
        {
            "general.architecture": "llama",
            "general.name": "Tiny",
            "general.file_type": 1,
            "llama.block_count": 2,
            "llama.embedding_length": 64,
            "llama.attention.head_count": 4,
            "llama.context_length": 128,
        },
        {
            "token_embd.weight": (64, 100),
            "output.weight": (64, 100),
            "blk.0.attn_q.weight": (64, 64),
            "blk.1.attn_q.weight": (64, 64),
        },
    )
    about = ask_for("RTX 4090", str(model), "--prompt", "10", "--gen", "10")
    assert about.question.facts.parameters == 2 * 6400 + 2 * 4096
    assert predict(about.question).decode_tps.value > 0
    with pytest.raises(WrongUsage, match=r"tiny\.gguf is a file with its own quantisation: leave --quant out"):
        ask_for("RTX 4090", str(model), "--quant", "Q4_K_M")


@pytest.mark.parametrize("name", ["/nowhere/x.gguf", "./nowhere", "~nobody-here/x.gguf", "/" + "x" * 5000])
def test_a_file_that_is_not_there(name: str) -> None:
    with pytest.raises(Refusal, match="no such file or folder"):
        ask_for("RTX 4090", name)


def test_a_broken_file_and_a_folder_of_something_else(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUFxxxx")
    with pytest.raises(Refusal, match=r"broken\.gguf"):
        ask_for("RTX 4090", str(broken))
    with pytest.raises(Refusal, match="no model of a known format"):
        ask_for("RTX 4090", str(tmp_path))


def test_a_folder_of_the_name_of_a_model_is_not_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Qwen3-8B").mkdir()
    monkeypatch.chdir(tmp_path)
    assert ask_for("RTX 4090", "Qwen3-8B").question.facts.source == "catalogue"


def test_every_line_fits_into_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for flags in (
        ["--hardware", "RTX 4090", "--model", "llama-2-7b", "--quant", "q4_0"],
        ["--hardware", "RTX 4090", "--model", "Llama-3.3-70B", "--batch", "4"],
        ["--hardware", "H100 SXM", "--devices", "2", "--engine", "vllm", "--model", "Llama-3.1-70B", "--batch", "max"],
        ["--hardware", "M3 Max 30c", "--model", "Qwen3-30B-A3B", "--engine", "mlx"],
    ):
        assert command(parser().parse_args(["predict", *flags, "--explain"])) == 0
        said = capsys.readouterr().out
        assert [line for line in said.splitlines() if len(line) > 80] == []

"""What the lines of each kind of log say. They follow the formats of the engines' sources; llama.cpp's are recorded."""

import time

import pytest
from llmtop.probes.logs.llamacpp import LlamaCppLog
from llmtop.probes.logs.report import Report
from llmtop.probes.logs.source import KINDS
from llmtop.probes.logs.steady import KoboldLog, LmdeployLog, SglangLog, TabbyLog, VllmLog, WebuiLog

LLAMA = """
0.00.294.454 I slot launch_slot_: id  0 | task 2 | processing task, is_child = 0
0.03.297.982 I slot print_timing: id  1 | task 0 | n_gen =    368, tg = 122.19 t/s, tg_3s = 122.52 t/s
0.03.337.362 I slot print_timing: id  0 | task 2 | n_gen =    371, tg = 123.02 t/s, tg_3s = 123.35 t/s
"""
"""xllamacpp of 2026-11, two slots, 134 M parameters on one core."""
VLLM = (
    "(APIServer pid=1) INFO 11-23 14:08:01 [loggers.py:248] Engine 000: Avg prompt throughput: 12.5 tokens/s, "
    "Avg generation throughput: 45.5 tokens/s, Running: 2 reqs, Waiting: 1 reqs, Preemptions: 1, "
    "GPU KV cache usage: 3.5%, Prefix cache hit rate: 0.0%"
)
SGLANG = (
    "[2026-11-23 14:08:01 TP0] Decode batch, #running-req: 3, #token: 120, token usage: 0.02, cuda graph: True, "
    "gen throughput (token/s): 151.20, #queue-req: 0"
)
LMDEPLOY = (
    "[2026-11-23 14:08:01 DP0] Avg thr (in/out): 12.5 / 45.5 tokens/s, Server (succeeded/failed/routed/waiting): "
    "1 / 0 / 1 / 0, Engine (running/waiting): 1 / 0, KV cache: 3.5%, Prefix cache hit rate: 1.0%, "
)
TABBY = (
    "2026-11-23 14:08:01.000 | INFO     | Metrics (ID: 1f): 123 tokens generated in 4.56 seconds (Queue: 0.0 s, "
    "Process: 10 cached tokens and 200 new tokens at 1234.5 T/s, Generate: 45.5 T/s, Context: 210 tokens)"
)
KOBOLD = (
    "CtxLimit:212/4096, Amt:100/100, Init:0.01s, Process:0.50s (4.1ms/T = 243.90T/s), "
    "Generate:5.20s (52.0ms/T = 19.23T/s), Total:5.70s (17.54T/s)"
)
WEBUI = "Output generated in 4.56 seconds (12.34 tokens/s, 56 tokens, context 78, seed 90)"
LINES: list[tuple[type[Report], str]] = [
    (LlamaCppLog, LLAMA.strip().splitlines()[-1]),
    (VllmLog, VLLM),
    (SglangLog, SGLANG),
    (LmdeployLog, LMDEPLOY),
    (TabbyLog, TABBY),
    (KoboldLog, KOBOLD),
    (WebuiLog, WEBUI),
]


def said(report: Report, text: str, *, after: float = 1.0) -> dict[str, float]:
    for line in text.splitlines():
        report.take(line, 100.0)
    return dict(report.now(100.0 + after))


def test_the_slots_of_llama_cpp_are_summed() -> None:
    told = said(LlamaCppLog(), LLAMA)
    assert told["decode_tps"] == pytest.approx(122.52 + 123.35)
    assert told["requests_running"] == 2


def test_a_rate_that_is_not_repeated_ends() -> None:
    assert said(LlamaCppLog(), LLAMA, after=5.0) == {}
    assert said(VllmLog(), VLLM, after=14.0)["decode_tps"] == 45.5
    assert said(VllmLog(), VLLM, after=16.0)["decode_tps"] == 0.0


def test_the_end_of_a_request_gives_the_speed_of_the_last_one() -> None:
    """As older builds write it, too: one message of several lines, of which the first alone names the slot."""
    ended = (
        "slot print_timing: id  0 | task 2 | \n"
        "prompt eval time =      50.00 ms /    10 tokens (    5.00 ms per token,   200.00 tokens per second)\n"
        "       eval time =    1000.00 ms /   100 tokens (   10.00 ms per token,   100.00 tokens per second)\n"
        "      total time =    1050.00 ms /   110 tokens\n"
    )
    told = said(LlamaCppLog(), LLAMA + ended)
    assert (told["last_prefill_tps"], told["last_decode_tps"]) == (200.0, 100.0)
    assert told["decode_tps"] == pytest.approx(122.52)


def test_a_long_prompt_is_seen_while_it_is_read() -> None:
    line = (
        "slot update_slots: id  0 | task 2 | prompt processing, n_tokens =  2048, progress = 0.25, "
        "t =   3.10 s / 660.65 tokens per second"
    )
    told = said(LlamaCppLog(), line)
    assert (told["prefill_tps"], told["prefilling"], "decode_tps" in told) == (660.65, 1.0, False)


def test_vllm() -> None:
    expected = {"prefill_tps": 12.5, "decode_tps": 45.5, "requests_running": 2, "requests_waiting": 1}
    assert said(VllmLog(), VLLM) == pytest.approx(expected | {"kv_cache_usage": 0.035})


def test_sglang_tells_decode_and_prefill_in_lines_of_their_own() -> None:
    prefill = (
        "Prefill batch, #new-seq: 1, #new-token: 10, #cached-token: 0, token usage: 0.00, #running-req: 0, "
        "#queue-req: 0, #pending-token: 0, cuda graph: False, input throughput (token/s): 12.30"
    )
    told = said(SglangLog(), SGLANG + "\n" + prefill)
    assert (told["decode_tps"], told["prefill_tps"], told["requests_running"]) == (151.2, 12.3, 3)


def test_lmdeploy_in_two_wordings() -> None:
    assert said(LmdeployLog(), LMDEPLOY)["kv_cache_usage"] == pytest.approx(0.035)
    assert said(LmdeployLog(), "Avg thr (in/out): 1.0 / 45.5 tokens/s, Requests: 3")["decode_tps"] == 45.5


@pytest.mark.parametrize(("report", "line"), [(TabbyLog(), TABBY), (KoboldLog(), KOBOLD), (WebuiLog(), WEBUI)])
def test_the_speed_of_a_request_that_ended_is_never_a_live_rate(report: Report, line: str) -> None:
    told = said(report, line)
    assert not {"decode_tps", "prefill_tps"} & set(told)
    assert not report.source


def test_tabby_and_kobold_tell_the_last_request() -> None:
    assert said(TabbyLog(), TABBY) == {"last_decode_tps": 45.5, "last_prefill_tps": 1234.5}
    assert said(KoboldLog(), KOBOLD) == {"last_decode_tps": 19.23, "last_prefill_tps": 243.9}
    assert said(TabbyLog(), TABBY.replace("45.5 T/s", "Indeterminate T/s")) == {"last_prefill_tps": 1234.5}


@pytest.mark.parametrize(("kind", "line"), LINES)
def test_no_kind_takes_the_line_of_another(kind: type[Report], line: str) -> None:
    assert [other for other in KINDS if other().take(line, 0.0)] == [kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("line", ["", "{}", "eval time = x, . tokens per second)", "tg_3s = 1.2.3 t/s", "INFO started"])
def test_other_lines_say_nothing(kind: type[Report], line: str) -> None:
    assert not kind().take(line, 0.0)


def test_ranks_of_data_parallelism_are_summed() -> None:
    vllm = [VLLM.replace("Engine 000", f"Engine {number:03d}") for number in range(3)]
    assert len(set(vllm)) == 3
    told = said(VllmLog(), "\n".join(vllm))
    assert (told["decode_tps"], told["requests_running"]) == (3 * 45.5, 6)
    assert told["kv_cache_usage"] == pytest.approx(0.035)
    sglang = [SGLANG.replace("TP0", f"DP{number} TP{2 * number}") for number in range(2)]
    assert said(SglangLog(), "\n".join(sglang))["decode_tps"] == pytest.approx(302.4)


@pytest.mark.parametrize("kind", [kind for kind, _ in LINES])
@pytest.mark.parametrize("word", ["slot ", "CtxLimit:Process:=", "Process:=", "Decode batch token usage: 1, ", ", "])
def test_lines_that_repeat_half_a_pattern_take_no_time(kind: type[Report], word: str) -> None:
    report, line = kind(), "CtxLimit:" + word * (16000 // len(word))
    began = time.process_time()
    for _ in range(10):
        report.take(line, 0.0)
    assert time.process_time() - began < 0.4

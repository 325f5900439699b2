"""Logs that tell the state of the whole engine in one line, again and again, or the speed of each request at its end.

Each kind is a table: patterns whose groups are named after fields of `Engine`, but for shares of the KV cache.

Formats: vLLM `vllm/v1/metrics/loggers.py`, SGLang `srt/managers/scheduler_components/metrics_reporter.py`, LMDeploy
`lmdeploy/metrics/loggers.py`, TabbyAPI `common/gen_logging.py`, text-generation-webui `modules/text_generation.py`,
KoboldCpp `gpttype_adapter.cpp`.
"""

import re
from typing import ClassVar

from .report import Facts

_N = r"[\d.]+"
_RANK = re.compile(r"\bEngine (\d{1,4}):|\bDP(\d{1,4})\b")
"""Of data parallelism: vLLM and SGLang write a line for each of them."""
_SHARES = frozenset({"kv_cache_usage"})


def _pattern(text: str) -> re.Pattern[str]:
    """`{name}` stands for a number that is called so."""
    plain = re.escape(text).replace(r"\.\.\.", ".*?")
    return re.compile(re.sub(r"\\{(\w+)\\}", lambda name: f"(?P<{name[1]}>{_N})", plain))


class Repeated:
    """One line tells all there is to tell, until the next one comes."""

    engine: ClassVar[str]
    source: ClassVar[str]
    patterns: ClassVar[tuple[re.Pattern[str], ...]]
    period: ClassVar[float]
    """Seconds from one line to the next while it works."""
    rests: ClassVar[Facts] = {"decode_tps": 0.0, "prefill_tps": 0.0, "requests_running": 0.0}
    """What its silence means."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, tuple[float, float]]] = {}
        """Of each rank, by name: when it was told, and what."""

    def take(self, line: str, time: float) -> bool:
        """Takes one line."""
        for pattern in self.patterns:
            if found := pattern.search(line):
                rank = _RANK.search(line, 0, found.end())
                told = self._told.setdefault(rank[1] or rank[2] if rank else "", {})
                told |= {name: (time, value) for name, value in _numbers(found).items()}
                return True
        return False

    def now(self, time: float) -> Facts:
        """What the last lines said, each for one and a half periods: sums over the ranks, but for shares."""
        fresh: dict[str, list[float]] = {}
        for told in self._told.values():
            for name, (when, value) in told.items():
                if time - when <= 1.5 * self.period:
                    fresh.setdefault(name, []).append(value)
        told_by_all = {name: sum(values) / (len(values) if name in _SHARES else 1) for name, values in fresh.items()}
        return told_by_all or self.rests


class VllmLog(Repeated):
    """Every 10 s while it works (`VLLM_LOG_STATS_INTERVAL`); what it prints when idle is for debugging only."""

    engine: ClassVar[str] = "vLLM"
    source: ClassVar[str] = "log generation throughput"
    period = 10.0
    patterns = (
        _pattern(
            "Avg prompt throughput: {prefill_tps} tokens/s, Avg generation throughput: {decode_tps} tokens/s, "
            "Running: {requests_running} reqs, ...Waiting: {requests_waiting} reqs...KV cache usage: {kv_percent}%"
        ),
    )


class LmdeployLog(Repeated):
    """Every 10 s; nothing when no token moved."""

    engine: ClassVar[str] = "LMDeploy"
    source: ClassVar[str] = "log Avg thr"
    period = 10.0
    patterns = (
        _pattern(
            "Avg thr (in/out): {prefill_tps} / {decode_tps} tokens/s...Engine (running/waiting): "
            "{requests_running} / {requests_waiting}, KV cache: {kv_percent}%"
        ),
        _pattern("Avg thr (in/out): {prefill_tps} / {decode_tps} tokens/s"),
    )


class SglangLog(Repeated):
    """Every 40 steps of decoding (`--decode-log-interval`), and every batch of prompts."""

    engine: ClassVar[str] = "SGLang"
    source: ClassVar[str] = "log gen throughput"
    period = 20.0
    patterns = (
        _pattern(
            "Decode batch...#running-req: {requests_running}, ...token usage: {kv_share}, "
            "...gen throughput (token/s): {decode_tps}, #queue-req: {requests_waiting}"
        ),
        _pattern("Prefill batch...#queue-req: {requests_waiting}, ...input throughput (token/s): {prefill_tps}"),
    )


class Ended:
    """One line at the end of each request: never a live rate."""

    engine: ClassVar[str]
    source: ClassVar[str] = ""
    patterns: ClassVar[tuple[re.Pattern[str], ...]]

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def take(self, line: str, time: float) -> bool:
        """Takes one line."""
        del time
        found = [_numbers(match) for pattern in self.patterns if (match := pattern.search(line))]
        for numbers in found:
            self._told |= numbers
        return bool(found)

    def now(self, time: float) -> Facts:
        """The speed of the last request that ended."""
        del time
        return self._told


class TabbyLog(Ended):
    """TabbyAPI's line of metrics."""

    engine: ClassVar[str] = "TabbyAPI"
    patterns = (
        _pattern("tokens generated in ...Generate: {last_decode_tps} T/s"),
        _pattern("new tokens at {last_prefill_tps} T/s"),
    )


class WebuiLog(Ended):
    """text-generation-webui: the rate has the prefill in it, so it is no decode rate, and only the count is told."""

    engine: ClassVar[str] = "text-generation-webui"
    patterns = (_pattern("Output generated in {seconds} seconds ({overall} tokens/s, "),)

    def now(self, time: float) -> Facts:
        """Nothing that could be taken for a decode rate."""
        del time
        return {}


class KoboldLog(Ended):
    """KoboldCpp's line of times."""

    engine: ClassVar[str] = "KoboldCpp"
    patterns = (
        re.compile(rf"\A(?>.*?CtxLimit:).*?Process:[^=]{{0,60}}= ?(?P<last_prefill_tps>{_N})T/s"),
        re.compile(rf"\A(?>.*?CtxLimit:).*?Generate:[^=]{{0,60}}= ?(?P<last_decode_tps>{_N})T/s"),
    )


def _numbers(found: re.Match[str]) -> dict[str, float]:
    """The named groups that are numbers, shares as shares."""
    values: dict[str, float] = {}
    for name, text in found.groupdict().items():
        try:
            value = float(text)
        except ValueError:
            continue
        match name:
            case "kv_percent":
                values["kv_cache_usage"] = value / 100
            case "kv_share":
                values["kv_cache_usage"] = value
            case _:
                values[name] = value
    return values

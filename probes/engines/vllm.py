"""vLLM, V0 and V1: `GET /metrics`, whose token counters move with every step of the engine."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Self

import psutil
from msgspec import DecodeError, Struct, structs
from msgspec.json import Decoder

from ..exposition import BadExposition, Series, parse
from ..fetch import Fetch
from ..models import BadModelFile, facts, locate
from ..processes import is_local
from ..sample import Engine, ModelFacts, Status
from .contract import UNAUTHORIZED, Endpoint, Process, Seen, Served
from .prometheus import Counter, Names

_CONFIG = "vllm:cache_config_info"
_SLEEP = "vllm:engine_sleep_state"
_DECODED = "vllm:generation_tokens_total"
_DRAFTS = "vllm:spec_decode_num_drafts_total"
_DRAFTED = "vllm:spec_decode_num_draft_tokens_total"
_ACCEPTED = "vllm:spec_decode_num_accepted_tokens_total"
"""Of speculative decoding, V1 (vllm/v1/spec_decode/metrics.py): they move with every step, once for each request that
had a draft, and are absent without speculation. The last two exist in V0 under the same names, where they count
something else: tokens behind a wrong one are accepted there too. V0 does not count drafts, which tells the two apart.
"""

NAMES = Names(
    decode=(Counter(_DECODED),),
    prefill=(
        Counter("vllm:prompt_tokens_by_source_total", (("source", "local_compute"),), "at prefill end"),
        Counter("vllm:prompt_tokens_total", note="incl. cached, at prefill end"),
    ),
    running=("vllm:num_requests_running",),
    waiting=("vllm:num_requests_waiting",),
    kv_usage=("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),  # renamed in 0.9; 0-1, whatever they say
    ttft=("vllm:time_to_first_token_seconds",),
    tpot=("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"),  # 0.11 has both
    others=(_CONFIG, _SLEEP, _DRAFTS, _DRAFTED, _ACCEPTED),
)
"""0.8 (V0) to 0.32; ranks of data parallelism are told apart by the label `engine`, which V0 lacks."""

_BYTES = {"fp8": 1.0, "int8": 1.0, "bfloat16": 2.0, "float16": 2.0, "half": 2.0, "float32": 4.0, "float": 4.0}
"""Bytes of one element of the KV cache, by how its type begins."""
_PLAIN = {"BF16", "F16", "F32"}
"""Names of weights that are not quantised as stored, but may be when they are loaded."""


class _Version(Struct, forbid_unknown_fields=True):
    """The whole of `GET /version`: engines that say more there are others."""

    version: str


_decode_version = Decoder(_Version).decode


class Vllm:
    """One vLLM server."""

    name: ClassVar[str] = "vLLM"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    PATHS: ClassVar[frozenset[str]] = frozenset({"/version", "/v1/models", "/metrics"})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._fetch = fetch.only(self.PATHS)
        self._known = _identity(seen)

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`vllm serve MODEL`, or one of its API server modules."""
        words = [word.rpartition("/")[2] for word in process.command[:6]]
        return ("vllm", "serve") in pairwise(words) or any(
            word.startswith(("vllm.entrypoints.", "VLLM::APIServer")) for word in words
        )

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By `/version`, then the owner of its models; where they want a key, by the names of its open metrics.

        The command line alone is not enough: its process listens on ports that are not for people, too.
        """
        process = seen.endpoint.process
        version = seen.get("/version")
        if process and cls.claims(process) and version and version.status in {401, 403}:
            return cls(seen, fetch)
        if _version(seen) is None:
            return None
        if (process and cls.claims(process)) or any(model.owned_by == "vllm" for model in seen.served):
            return cls(seen, fetch)
        metrics = seen.get("/metrics") if seen.guarded else None
        return cls(seen, fetch) if metrics and b"\nvllm:" in metrics.body else None

    @property
    def period(self) -> float:
        """One second: an answer takes 6 to 27 ms of the API server."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics.

        Raises:
            FetchError: the engine could not be asked.
        """
        answer = self._fetch.get("/metrics")
        if answer.status in {401, 403}:
            return self._trouble("unauthorized", UNAUTHORIZED)
        if answer.status != 200:
            return self._trouble("unsupported", f"GET /metrics answers {answer.status}")
        try:
            series = parse(answer.body, NAMES.wanted)
        except BadExposition as error:
            return self._trouble("unsupported", str(error))
        return self._tell(series)

    def _tell(self, series: Series) -> Engine:
        engine = NAMES.fill(self._known, series)
        if engine.decode_tokens is None:
            return structs.replace(engine, problem=f"no {_DECODED} in its metrics: is it run with --disable-log-stats?")
        awake, asleep = series.total(_SLEEP, sleep_state="awake"), series.total(_SLEEP)
        capacity = _capacity(series)
        usage = engine.kv_cache_usage
        drafts = series.total(_DRAFTS)
        return structs.replace(
            engine,
            status="sleeping" if asleep and not awake else engine.status,
            model=engine.model or _labelled(series),
            kv_bytes_per_element=engine.kv_bytes_per_element or _element(series.label(_CONFIG, "cache_dtype")),
            context_tokens=usage * capacity if usage is not None and capacity else None,
            drafts=drafts,
            drafted_tokens=None if drafts is None else series.total(_DRAFTED),
            accepted_tokens=None if drafts is None else series.total(_ACCEPTED),
        )

    def _trouble(self, status: Status, problem: str) -> Engine:
        return structs.replace(self._known, status=status, problem=problem)


def _identity(seen: Seen) -> Engine:
    """What stays the same until a restart."""
    process = seen.endpoint.process
    served = next((model for model in seen.served if model.parent is None), None)

    def flag(*names: str) -> str | None:
        return process.option(*names) if process else None

    slots = flag("--max-num-seqs") or ""
    return Engine(
        engine=Vllm.name,
        url=seen.endpoint.url,
        status="ok",
        version=_version(seen),
        pid=process.pid if process else None,
        model=_model(served, seen.endpoint, flag("--quantization", "-q"), flag("--dtype")) if served else None,
        kv_bytes_per_element=_element(flag("--kv-cache-dtype")) or _element(flag("--dtype")),
        slots=int(slots) if slots.isdecimal() else None,
    )


def _model(served: Served, endpoint: Endpoint, quantization: str | None, dtype: str | None) -> ModelFacts:
    """The model: from its files if this machine has them, else what `GET /v1/models` says."""
    is_here = endpoint.process is not None or is_local(endpoint.url)
    for place in _places(served.root or "", endpoint.process) if is_here else ():
        try:
            found = facts(str(place))
        except BadModelFile:
            continue
        if found is not None:
            return _as_loaded(found, served, quantization, dtype)
    root = served.root
    return ModelFacts(
        name=served.id,
        source="GET /v1/models",
        path=root if root and os.path.isabs(root) else None,  # noqa: PTH117  # no path is touched
        quantization=quantization,
        context_length=served.max_model_len,
    )


def _places(root: str, process: Process | None) -> Iterator[Path]:
    """Where the weights may be: by their name here, from the server's own folder, and in its own root (a container)."""
    try:
        place = locate(root)
    except BadModelFile:
        place = None
    if place is not None:
        yield place
    if process is None or not root:
        return
    if Path(root).is_absolute():
        yield Path(f"/proc/{process.pid}/root") / Path(root).relative_to("/")
        return
    try:
        yield Path(psutil.Process(process.pid).cwd(), root)
    except psutil.Error:
        return


def _as_loaded(found: ModelFacts, served: Served, quantization: str | None, dtype: str | None) -> ModelFacts:
    """Facts of the files under the names of the server; weights that it stores otherwise have no known size."""
    found = structs.replace(found, name=served.id, context_length=served.max_model_len or found.context_length)
    is_cast = found.quantization == "F32" and not (dtype or "").startswith("float32")
    if found.quantization not in _PLAIN or not (quantization or is_cast):
        return found
    return structs.replace(
        found,
        source=f"{found.source}, but other weights are loaded: {quantization or dtype or 'half precision'}",
        quantization=quantization,
        weight_bytes=None,
        embedding_bytes=None,
        expert_bytes=0,
        unused_bytes=0,
    )


def _labelled(series: Series) -> ModelFacts | None:
    name = series.label(_DECODED, "model_name")
    return ModelFacts(name=name, source="GET /metrics") if name else None


def _version(seen: Seen) -> str | None:
    answer = seen.get("/version")
    if answer is None or answer.status != 200:
        return None
    try:
        return _decode_version(answer.body).version
    except DecodeError:
        return None


def _element(dtype: str | None) -> float | None:
    """Bytes of a KV cache element; None for "auto", which is the type of the model."""
    return next((size for name, size in _BYTES.items() if dtype and dtype.startswith(name)), None)


def _capacity(series: Series) -> float:
    """Tokens that the KV caches of all ranks hold; 0 where it is not told."""
    return sum(_tokens(labels) for labels, _ in series.get(_CONFIG))


def _tokens(labels: dict[str, str]) -> int:
    def number(label: str) -> int:
        text = labels.get(label, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0

    return number("kv_cache_size_tokens") or number("num_gpu_blocks") * number("block_size")

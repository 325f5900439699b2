"""What a model needs of the memory, part by part, and what a device has for it.

llama.cpp and its kin, with flash attention (their default):

    device  = weights without the input embedding table (which stays with the host, unless it is the output head too)
            + KV cache + recurrent state + 4 B x physical batch x (vocabulary + 2 x hidden) + driver context

The compute buffer is that of the last step of a prompt, whose logits are the largest tensor: it comes out at what the
logs say within 4 % (Llama 3.1 8B 258.5 MiB, Qwen3 30B-A3B 304.75, gpt-oss-20b 398.4, Gemma 4 12B 519.5). Engines that
serve many requests hold the whole file, and take a share of the device in advance, whatever the model needs.
"""

import math
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from ..probes.sample import Device, ModelFacts
from .model import F16_BYTES, STATE_BYTES
from .silicon import shares_memory
from .software import PHYSICAL_BATCH

GIB = 1 << 30
SERVING = frozenset(
    (
        *("vLLM", "SGLang", "TGI", "LMDeploy", "DeepSpeed-MII", "OpenLLM", "Ray Serve", "TensorRT-LLM", "MLC LLM"),
        *("NIM", "Dynamo", "Triton", "vllm-metal"),
    )
)
"""Engines that take a fixed share of the device for many requests; the others take memory as they need it."""
CELLS = 256
"""Tokens that llama.cpp rounds the cache of windowed layers up to."""
CONTEXT_BYTES = round(0.4 * GIB)
"""What the driver and the kernels take of a GPU: 0.2-0.75 GiB in llama.cpp's own memory breakdowns."""
UNKNOWN_COMPUTE_BYTES = round(0.4 * GIB)
"""The compute buffer of a model whose vocabulary is not known: the middle of today's."""
SERVING_BYTES = round(1.3 * GIB)
"""Activations, CUDA graphs and context of vLLM: 1.2-1.3 GiB in its logs (gpt-oss-20b and Gemma 4 26B on an A100)."""
SERVING_SHARE = 0.9
"""Share of the device that serving engines take by default (vLLM's gpu_memory_utilization)."""
DISCRETE_SHARE = 0.98
"""Share of a graphics card's memory that can be allocated at all."""
SHARED_SHARE = 0.85
"""Share of the RAM for a GPU without memory of its own: Linux maps half of it by default, most of it when told to. On a
Strix Halo of 128 GiB somebody ran what needs 0.81 of it (kyuz0/amd-strix-halo-toolboxes, MiniMax-M2.7 at 64k)."""
HOST_SHARE = 0.9
"""Share of the RAM that programs may have where it is not known what is in use."""
APPLE_SHARES = ((16, 0.667), (24, 0.74), (1 << 20, 0.78))
"""GiB of RAM up to which the GPU may have which share: Metal's recommendedMaxWorkingSetSize in logs of 16, 18, 24, 32,
36 and 64 GiB machines says 0.667, 0.74, 0.74, 0.78, 0.78 and 0.81; before macOS 15 it was 0.75 from 36 GiB up."""
LONGEST = 1 << 22
"""The longest context that is tried where the model's own limit is not known."""

Kind = Literal["gpu", "apple", "cpu"]


class Memory(Struct, frozen=True, kw_only=True):
    """Bytes that a model needs on the devices together."""

    weights_bytes: int
    kv_bytes: int
    state_bytes: int
    """Recurrent state of linear-attention and state-space layers; it does not grow with the context."""
    compute_bytes: int
    """Activations and logits of the largest step."""
    context_bytes: int
    """What the driver and the engine take besides."""
    host_bytes: int = 0
    """Weights that stay in the RAM of the host although everything runs on the devices."""

    @property
    def total_bytes(self) -> int:
        """All that must be on the devices."""
        return self.weights_bytes + self.kv_bytes + self.state_bytes + self.compute_bytes + self.context_bytes

    def fits(self, free_bytes: float) -> bool:
        """Whether it goes into so much memory."""
        return self.total_bytes <= free_bytes

    def missing_bytes(self, free_bytes: float) -> int:
        """What is missing for it to fit; 0 when it does."""
        return max(math.ceil(self.total_bytes - free_bytes), 0)


def needed(
    facts: ModelFacts,
    *,
    context: int,
    streams: float = 1.0,
    kv_bytes_per_element: float = F16_BYTES,
    engine: str = "llama.cpp",
    devices: int = 1,
    kind: Kind = "gpu",
) -> Memory | None:
    """What a model needs with so many streams of so many tokens each; None where its size or layout is not known.

    Args:
        facts: the model.
        context: tokens that each stream may have in the cache.
        streams: requests at the same time.
        kv_bytes_per_element: 2 for 16 bit, 1.0625 for q8_0, 0.5625 for q4_0.
        engine: its name; those of `SERVING` hold the whole file, and their activations and graphs are theirs.
        devices: over how many the model is spread: each has a compute buffer and a context of its own.
        kind: what they are; a CPU holds the whole file and needs no context.
    """
    if facts.weight_bytes is None or facts.kv_elements is None:
        return None
    frugal = engine not in SERVING
    host = facts.embedding_bytes or 0 if frugal and kind != "cpu" and facts.tied_embeddings is False else 0
    elements = facts.kv_elements * context * streams
    if facts.kv_window_elements:
        elements += facts.kv_window_elements * _window_cells(facts.kv_window, context, streams)
    compute = _compute_bytes(facts, context * streams) if frugal else SERVING_BYTES
    return Memory(
        weights_bytes=facts.weight_bytes - host,
        kv_bytes=math.ceil(elements * kv_bytes_per_element),
        state_bytes=math.ceil(STATE_BYTES * facts.state_elements * streams),
        compute_bytes=compute * devices,
        context_bytes=CONTEXT_BYTES * devices if frugal and kind == "gpu" else 0,
        host_bytes=host,
    )


def usable(device: Device, engine: str = "llama.cpp", own_bytes: int = 0) -> int | None:
    """Bytes of a device that a model may have; None where its memory is not known.

    Args:
        device: with `memory_used_bytes` where it is a real one; of a real APU, whose `carveout_bytes` are known, the
            memory is what the driver maps.
        engine: serving engines take a fixed share of the device.
        own_bytes: how much of the used memory the engine itself holds: it may have that again.
    """
    total = device.memory_total_bytes
    if total is None:
        return None
    used = max((device.memory_used_bytes or 0) - own_bytes, 0)
    if device.kind == "cpu":
        return max(total - used if device.memory_used_bytes is not None else round(HOST_SHARE * total), 0)
    if device.kind == "apple":
        share = next(share for gib, share in APPLE_SHARES if total <= gib * GIB)
        return max(min(round(share * total), total - used), 0)
    if shares_memory(device) and device.vendor != "NVIDIA":
        mapped = total if device.carveout_bytes is not None else round(SHARED_SHARE * total)
        return max(min(mapped, total - used), 0)
    share = SERVING_SHARE if engine in SERVING else DISCRETE_SHARE
    return max(min(round(share * total), round(DISCRETE_SHARE * total) - used), 0)


def longest_context(
    facts: ModelFacts,
    free_bytes: float,
    *,
    streams: float = 1.0,
    kv_bytes_per_element: float = F16_BYTES,
    engine: str = "llama.cpp",
    devices: int = 1,
    kind: Kind = "gpu",
) -> int | None:
    """The most tokens that each stream can have, up to the model's own limit; None where not even the weights fit."""

    def size(tokens: int) -> float:
        found = needed(
            facts,
            context=tokens,
            streams=streams,
            kv_bytes_per_element=kv_bytes_per_element,
            engine=engine,
            devices=devices,
            kind=kind,
        )
        return math.inf if found is None else found.total_bytes

    limit = facts.context_length or LONGEST
    least, most = size(min(PHYSICAL_BATCH, limit)), size(limit)
    share = (free_bytes - least) / (most - least) if least < most < math.inf else 0.0
    guess = PHYSICAL_BATCH + int(share * (limit - PHYSICAL_BATCH))
    return _most(lambda tokens: size(tokens) <= free_bytes, limit, guess)


def most_streams(
    facts: ModelFacts,
    free_bytes: float,
    context: int,
    *,
    kv_bytes_per_element: float = F16_BYTES,
    engine: str = "vLLM",
    devices: int = 1,
    kind: Kind = "gpu",
) -> int | None:
    """How many streams of so many tokens each fit at the same time, 4096 at most; None where not even one does."""

    def fits(streams: int) -> bool:
        found = needed(
            facts,
            context=context,
            streams=float(streams),
            kv_bytes_per_element=kv_bytes_per_element,
            engine=engine,
            devices=devices,
            kind=kind,
        )
        return found is not None and found.fits(free_bytes)

    return _most(fits, 4096)


def _most(fits: Callable[[int], bool], limit: int, guess: int = 0) -> int | None:
    """The largest number from 1 to the limit that fits, where all smaller ones do; it is looked for near the guess."""
    if not fits(1):
        return None
    if fits(limit):
        return limit
    low, high = 1, limit
    for near in (guess, guess + 1):
        if low < near < high:
            low, high = (near, high) if fits(near) else (low, near)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _window_cells(window: int | None, context: int, streams: float) -> float:
    """Tokens that the cache of a windowed layer has room for: the window of each stream, and a batch on its way in."""
    if window is None:
        return context * streams
    cells = math.ceil((window * streams + PHYSICAL_BATCH) / CELLS) * CELLS
    return min(cells, context * streams)


def _compute_bytes(facts: ModelFacts, tokens: float) -> int:
    hidden = facts.hidden_size
    table = facts.head_parameters or facts.embedding_parameters
    if not hidden or not table:
        return UNKNOWN_COMPUTE_BYTES
    return math.ceil(4.0 * min(PHYSICAL_BATCH, tokens) * (table / hidden + 2.0 * hidden))

"""gguf-parser's "maximum tokens per second", as its source states it.

Repository gpustack/gguf-parser-go at commit 8dc7a62, file file_estimate__llamacpp.go, function
`estimateLLaMACppRunInModel` ("Maximum tokens per second" and, for the sizes, "Weight & Parameter" and "KV cache"):

    layers x [max(ops / FLOPS, weights / bandwidth) + max(kv_ops / FLOPS, kv / bandwidth) + embedding row / bandwidth]

with the logical batch of 2048 over the physical one of 512 as a factor on the operations and on the KV cache, which so
counts four times. Every expert counts as read. It knows no device: FLOPS and bandwidth are the user's
(`--device-metric`), here the fp16 (else fp32) peak and the bandwidth of llmtop's catalogue. The context is the one that
the row must have reserved, 512 tokens at least: below, the factor would grow and punish short runs. Layers without a KV
cache and latent attention are taken as llmtop counts them. Partial offload needs a number of layers that no row gives.
"""

from .case import Case

LOGICAL_BATCH, PHYSICAL_BATCH = 2048, 512
PADDING = 32
F16_BYTES, F32_BYTES = 2, 4


def gguf_parser(case: Case) -> float | None:
    """Tokens/s; the layers of several equal devices are split evenly. None where a figure is missing."""
    facts, rates = case.facts, case.device.compute_tflops
    flops = (rates.fp16 or rates.fp32 or 0.0) * 1e12
    speed = (case.bandwidth_gbs or 0.0) * 1e9
    layers, hidden, weights = facts.layers, facts.hidden_size, facts.weight_bytes
    if not flops or not speed or not layers or not hidden or not weights or facts.parameters is None or case.spills:
        return None
    context = _padded(max(case.allocated_tokens, PHYSICAL_BATCH))
    repeats = LOGICAL_BATCH / PHYSICAL_BATCH
    window = min(context, _padded((facts.kv_window or 0) + LOGICAL_BATCH))
    kv_elements = (facts.kv_elements or 0) * context + facts.kv_window_elements * window
    table, table_parameters = facts.embedding_bytes or 0, facts.embedding_parameters or 0
    head = facts.head_parameters or 0
    inside = facts.parameters - table_parameters - (0 if facts.tied_embeddings else head)
    operations = inside * 2 * repeats + head
    read = weights if facts.tied_embeddings else weights - table
    if case.on_cpu:  # the first device holds the input table as well
        operations += table_parameters
        read += table
    devices = case.n_devices
    weights_s = max(operations / devices / flops, read / devices / speed)
    kv_s = max(kv_elements / devices * 2 * repeats / flops, kv_elements / devices * F16_BYTES * repeats / speed)
    row_s = F32_BYTES * hidden * PHYSICAL_BATCH / speed
    per_device_s = (weights_s + kv_s + row_s) * (layers + 1) / devices / (layers + 2)
    return 1.0 / (per_device_s * devices)


def _padded(tokens: int) -> int:
    return -(-tokens // PADDING) * PADDING

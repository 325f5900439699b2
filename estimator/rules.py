"""The rules of thumb that people know. They are shown beside the estimate, never used for it."""

import re
from collections.abc import Sequence

from ..probes.sample import Device, ModelFacts

_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?[bB](?![a-zA-Z])")


def rules_of_thumb(facts: ModelFacts, devices: Sequence[Device]) -> dict[str, float]:
    """Each rule that can be applied, for the first of the devices: tokens/s of one stream, but for the last.

    "bandwidth / size": GB/s over the GB of the file. "bandwidth / parameters": GB/s over billions of parameters, for
    models of about 4 bits; and the same with the size that the name says. "flops / byte": the machine's peak FLOPs per
    byte of bandwidth, to be held against the about 20 up to which work counts as bound by bandwidth.
    """
    device = devices[0]
    gbs = device.bandwidth_gbs.peak or device.bandwidth_gbs.measured
    if not gbs:
        return {}
    rules: dict[str, float] = {}
    if facts.weight_bytes:
        rules["bandwidth / size"] = gbs * 1e9 / facts.weight_bytes
    if facts.parameters:
        rules["bandwidth / parameters"] = gbs * 1e9 / facts.parameters
    named = _SIZE.search(facts.name.replace("-", " ").replace(":", " ").replace("_", " "))
    if named and float(named[1]):
        rules["bandwidth / parameters in the name"] = gbs / float(named[1])
    peak = device.compute_tflops.fp16 or device.compute_tflops.fp32
    if peak:
        rules["flops / byte"] = peak * 1e3 / gbs
    return rules

"""The two rules that need no constants: what must be read over the bandwidth, and the file over the bandwidth."""

from llmtop.estimator.model import Load
from llmtop.estimator.roofline import ceiling

from .case import Case


def ideal_roofline(case: Case) -> float | None:
    """Peak bandwidth / (weights and KV cache that a token must read), or the arithmetic where that is slower.

    Williams, Waterman, Patterson 2009; as LLM-Viewer (arXiv 2402.16363) and zeux's "speed of light" apply it. It is
    llmtop's own ceiling. Several devices count with the sum of their bandwidths.
    """
    if case.spills:
        return None
    return ceiling(case.facts, Load(context_tokens=case.context_tokens), list(case.question.devices)).decode_tps


def rule_of_thumb(case: Case) -> float | None:
    """Peak bandwidth / size of the weights, as forum posts have it; several devices as one."""
    if case.spills or case.bandwidth_gbs is None or not case.facts.weight_bytes:
        return None
    return case.bandwidth_gbs * 1e9 / case.facts.weight_bytes

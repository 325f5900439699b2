"""What people mean by a quantisation: as they write it, as the name of a model has it, and where they say none."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from ..probes.sample import ModelFacts
from .catalogue.formats import Format, formats
from .catalogue.formats import format as known_format
from .catalogue.names import UnknownName
from .software import Engine

SHORT = {
    "llama.cpp": {
        "q2": "Q2_K",
        "q3": "Q3_K_M",
        "q4": "Q4_K_M",
        "4bit": "Q4_K_M",
        "int4": "Q4_K_M",
        "q5": "Q5_K_M",
        "q6": "Q6_K",
        "q8": "Q8_0",
        "8bit": "Q8_0",
        "int8": "Q8_0",
    },
    "mlx": {
        f"{lead}{bits}{tail}": f"MLX {bits}-bit"
        for bits in (2, 3, 4, 5, 6, 8)
        for lead, tail in (("q", ""), ("", "bit"), ("int", ""))
    },
}
"""By kin of the engine: names that say the bits only, as the file of so many bits that is used most there."""
USUAL = {
    "llama.cpp": "Q4_K_M",
    "serving": "BF16",
    "exllama": "4.0bpw",
    "compiled": "F16",
    "eager": "BF16",
    "mlx": "MLX 4-bit",
}
"""By kin: what is taken where no quantisation is named."""
USUAL_OF_ENGINE = {"MLC LLM": "q4f16_1", "TinyChat": "AWQ-INT4"}
NATIVE = {"gpt-oss": {"llama.cpp": "MXFP4"}}
"""By family: models that came out quantised, with what their files are called; any other engine has `NATIVE_MXFP4`."""
NATIVE_MXFP4 = "MXFP4-16"
LADDERS = {
    "llama.cpp": ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"),
    "mlx": ("BF16", "MLX 8-bit", "MLX 6-bit", "MLX 5-bit", "MLX 4-bit", "MLX 3-bit"),
    "exllama": ("BF16", "8.0bpw", "6.0bpw", "5.0bpw", "4.0bpw", "3.0bpw"),
}
"""By kin: the common formats, from large to small."""
OTHER_LADDER = ("BF16", "FP8", "AWQ-INT4")
STEP = 0.95
"""Share of the present bits below which a format counts as smaller."""

_SPELT = {"it": "instruct"}
"""So that "4b-it" is not taken for "4bit": names are compared without what stands between."""
_LIKE_A_FORMAT = re.compile(
    r"(?<![a-z\d])(?:(?:i|t)?q\d\w*|(?:mx|nv)?(?:fp|int)\d\w*|w\d{1,2}a\d{1,2}|\d+(?:\.\d+)?[-_ ]?(?:bpw|bits?))"
    r"(?![a-z\d])",
    re.ASCII | re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[\s:/-]+")


def meant(text: str, engine: Engine) -> Format:
    """The format that is meant by a name in this engine: "q4" is Q4_K_M in llama.cpp and MLX 4-bit in MLX.

    Raises:
        UnknownName: no format is called so.
    """
    short = SHORT.get(engine.kin, {}).get(text.casefold().replace("-", "").replace("_", "").replace(" ", ""))
    return known_format(short or text)


def in_name(model: str, engine: Engine) -> Format | None:
    """The format that the name of a model says: "gpt-oss-20b MXFP4", "llama3.1:8b-q4_K_M"; None where it says none.

    Raises:
        UnknownName: what stands there looks like a format and is none.
    """
    pieces = [_SPELT.get(piece, piece) for piece in _SEPARATOR.split(model.removesuffix(".gguf")) if piece]
    for window in _windows(pieces):
        try:
            found = meant(window, engine)
        except UnknownName:
            continue
        if found.name in formats() or " " not in window:
            return found
    said = _LIKE_A_FORMAT.search(model)
    return meant(said[0], engine) if said else None


def usual(engine: Engine, family: str | None = None) -> Format:
    """What people run in this engine where they say nothing."""
    if family in NATIVE:
        return known_format(NATIVE[family].get(engine.kin, NATIVE_MXFP4))
    return known_format(USUAL_OF_ENGINE.get(engine.name) or USUAL.get(engine.kin, "BF16"))


def common(engine: Engine) -> tuple[str, ...]:
    """The formats that are common in an engine, from large to small."""
    return LADDERS.get(engine.kin, OTHER_LADDER)


def smaller(facts: ModelFacts, engine: Engine) -> ModelFacts | None:
    """The model in the next smaller format that is common in the engine, its parts scaled by the bits.

    None where there is none, or the size is not known; and for models that are made in MXFP4, which other formats
    hardly make smaller.
    """
    if not facts.weight_bytes or not facts.parameters or (facts.quantization or "").startswith("MXFP4"):
        return None
    bits = 8.0 * facts.weight_bytes / facts.parameters
    ladder = map(known_format, common(engine))
    found = next((step for step in ladder if step.bits < STEP * bits and step.name != facts.quantization), None)
    if found is None:
        return None
    share = _mean_bits(found) / bits
    return replace(
        facts,
        quantization=found.name,
        weight_bytes=round(facts.weight_bytes * share),
        embedding_bytes=None if facts.embedding_bytes is None else round(facts.embedding_bytes * share),
        expert_bytes=round(facts.expert_bytes * share),
        unused_bytes=round(facts.unused_bytes * share),
    )


def _mean_bits(fmt: Format) -> float:
    """Bits per weight of a whole file, with a third of it down projections, as feed-forward layers of three have."""
    return (2.0 * fmt.bits + (fmt.down_bits or fmt.bits)) / 3.0


def _windows(pieces: list[str]) -> Iterator[str]:
    """Runs of neighbouring pieces, the longest first, the last before the first."""
    for length in range(min(len(pieces), 4), 0, -1):
        for start in range(len(pieces) - length, -1, -1):
            yield " ".join(pieces[start : start + length])

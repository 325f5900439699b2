"""What carries nothing in the names of models: "unsloth/Qwen3-8B-Instruct-GGUF" at UD-Q4_K_XL is Qwen3-8B."""

import re

from .names import plain

_FORMATS = re.compile(
    r"(?<![a-z\d])(?:ud[-_])?(?:"
    r"i?q\d(?:[-_](?:k|\d|nl|xxs|xs|[sm])(?![a-z\d]))(?:[-_](?:xxl|xl|xxs|xs|[sml])(?![a-z\d]))?"
    r"|tq\d[-_]\d|[wa]\d{1,2}a\d{1,2}|mxfp4(?:[-_]moe)?|nvfp4|fp4|fp8|bf16|f16|fp16|f32|int[48]"
    r"|\d(?:\.\d+)?[-_ ]?bit|\d(?:\.\d+)?bpw"
    r")(?![a-z\d])"
)
_MAKER = re.compile(
    r"^(?:qwen|meta-llama|mistralai|google|microsoft|nvidia|openai|deepseek-ai|thudm|zai-org|ibm-granite|cohereforai"
    r"|huggingfacetb|allenai|tiiuae|lgai-exaone|unsloth)_"
)
"""The owner of the original, as it stands before the name in files that others made."""
_BETWEEN_NUMBERS = re.compile(r"(?<=\d) (?=\d)")
_NOTHING = frozenset(
    (
        *("instruct", "it", "chat", "hf", "base", "pt", "text", "latest"),
        *("gguf", "ggml", "awq", "gptq", "exl2", "exl3", "mlx", "autoround", "bnb", "hqq", "ud"),
        *("dynamic", "static", "quantized", "imatrix", "qat", "model", "weights", "block"),
        *("unsloth", "bartowski", "google", "openai", "microsoft", "mistralai", "nvidia"),
    )
)


def normalise(name: str) -> str:
    """As `plain`, of the part after the last slash, without formats and the words that every maker adds.

    A point stands between two numbers, so that "Llama 3 3B" is not "LLaMA-33B" even when blanks do not count.
    """
    text = name.casefold().rsplit("/", 1)[-1].removesuffix(".gguf").replace("+", " plus ")
    words = plain(_FORMATS.sub(" ", _MAKER.sub("", text))).split()
    kept = [word for word in words if word not in _NOTHING]
    return _BETWEEN_NUMBERS.sub(".", " ".join(kept or words))

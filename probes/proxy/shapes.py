"""The parts of answers that tell of tokens, as the engines spell them. Numbers may come as floats."""

from msgspec import Raw, Struct


class Delta(Struct):
    """OpenAI `delta`, Ollama `message`: which of its texts are there."""

    content: Raw = Raw()
    reasoning_content: Raw = Raw()
    reasoning: Raw = Raw()
    thinking: Raw = Raw()
    tool_calls: Raw = Raw()
    function_call: Raw = Raw()
    refusal: Raw = Raw()


class Choice(Struct):
    """One of OpenAI `choices`, of a chat or of a completion."""

    delta: Delta | None = None
    text: Raw = Raw()


class Piece(Struct):
    """Anthropic `delta` of a `content_block_delta`."""

    text: Raw = Raw()
    thinking: Raw = Raw()
    partial_json: Raw = Raw()


class Cached(Struct):
    """OpenAI `prompt_tokens_details`, `input_tokens_details`."""

    cached_tokens: float | None = None


class Usage(Struct):
    """`usage` of OpenAI (chat and completions; responses) and of Anthropic."""

    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    prompt_tokens_details: Cached | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    input_tokens_details: Cached | None = None
    cache_read_input_tokens: float | None = None
    cache_creation_input_tokens: float | None = None


class Timings(Struct):
    """llama.cpp `timings`: `prompt_n` is what was computed, without what was cached."""

    cache_n: float | None = None
    prompt_n: float | None = None
    predicted_n: float | None = None
    draft_n: float | None = None
    draft_n_accepted: float | None = None


class Progress(Struct):
    """llama.cpp `prompt_progress`: `processed` has the cached ones in it."""

    total: float
    processed: float
    cache: float | None = None


class Stats(Struct):
    """LM Studio `stats` of /api/v1/chat."""

    input_tokens: float | None = None
    total_output_tokens: float | None = None


class Details(Struct):
    """text-generation-inference `details`."""

    generated_tokens: float | None = None
    input_length: float | None = None


class MetaInfo(Struct):
    """SGLang `meta_info` of /generate: sums so far in every chunk."""

    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    cached_tokens: float | None = None

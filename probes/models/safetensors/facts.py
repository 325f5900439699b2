"""The facts of a model, from its configuration and, where the weights are there, from their sums."""

from pathlib import Path

from ...sample import ModelFacts
from .config import Config
from .feeds import EXPERTS, USED
from .layers import layers
from .mixer import Mixer
from .mixers import HEADS
from .parts import is_tied
from .quantization import Scheme, plain
from .roles import Role
from .tally import Tally, expected

_CONTEXT = (
    "context_window_size",
    "max_position_embeddings",
    "n_positions",
    "max_sequence_length",
    "model_max_length",
    "seq_length",
)
_LARGEST = 1 << 50
"""Weights of no model, and elements of no cache: a thousand million millions."""
_TYPES = {"F8_E4M3": "FP8", "F8_E5M2": "FP8"}


def assemble(
    path: Path,
    config: Config,
    tally: Tally | None,
    scheme: Scheme | None,
    source: str,
    *,
    shards: int = 1,
    missing: int = 0,
) -> ModelFacts:
    """Facts of one model.

    Args:
        path: as it was asked for.
        config: of the language model.
        tally: sums over its tensors; None where there are none to read.
        scheme: how its weights are quantised; None where they are not.
        source: in words.
        shards: files that the weights are spread over.
        missing: those of them that are not in the tally.

    Raises:
        BadModelFile: the numbers in the configuration come to more than any model has.
    """
    found = layers(config)
    mixers = [mixer for layer in found for mixer in layer.mixers]
    near = [mixer for mixer in mixers if mixer.window]
    tally = tally or expected(config, found, scheme)
    sizes, counts = (tally.bytes, tally.parameters) if tally else ({}, {})
    tied = _tied(config, sizes, is_whole=not missing)
    cached = sum(mixer.cached + mixer.width for mixer in mixers)
    if max(sum(counts.values()), sum(mixer.state for mixer in mixers), cached) > _LARGEST:
        raise config.fail(f"sizes that come to {sum(counts.values()):.3g} weights: no model has so many")
    spare = {"unused", "head"} if tied else {"unused"}
    return ModelFacts(
        name=_name(path),
        source=source,
        path=str(path),
        architecture=config.type or None,
        quantization=scheme.name if scheme else _commonest(tally) or plain(config)[0],
        context_length=config.whole(*_CONTEXT) or None,
        parameters=sum(counts.values()) or None,
        weight_bytes=sum(sizes.values()) or None,
        embedding_bytes=sizes.get("embedding"),
        embedding_parameters=counts.get("embedding"),
        tied_embeddings=tied,
        unused_bytes=sum(sizes[name] for name in sizes if name in spare),
        unused_parameters=sum(counts[name] for name in counts if name in spare),
        expert_bytes=sizes.get("experts", 0),
        expert_parameters=counts.get("experts", 0),
        expert_count=config.whole(*EXPERTS) or 0,
        expert_used_count=config.whole(*USED) or 0,
        layers=config.layers,
        linear_layers=sum(layer.is_linear for layer in found),
        state_elements=sum(mixer.state for mixer in mixers),
        hidden_size=config.whole("hidden_size", "n_embd", "d_model") or None,
        head_parameters=counts.get("embedding" if tied else "head"),
        attention_width=sum(mixer.width for mixer in mixers) if found else None,
        window_width=sum(mixer.width for mixer in near),
        kv_elements=sum(mixer.cached for mixer in mixers if not mixer.window) if found else None,
        kv_window_elements=sum(mixer.cached for mixer in near),
        kv_window=max((mixer.window or 0 for mixer in near if mixer.cached), default=None),
        shards=shards,
        missing_shards=missing,
        assumed=_assumed(config, mixers),
    )


def _tied(config: Config, sizes: dict[Role, int], *, is_whole: bool) -> bool | None:
    """Engines do not load a head that a tied model brings along all the same."""
    if "embedding" in sizes and is_tied(config):
        return True
    if "head" in sizes:
        return False
    says_no = config.flag("tie_word_embeddings") is False
    return True if "embedding" in sizes and is_whole and not says_no else None


def _assumed(config: Config, mixers: list[Mixer]) -> tuple[str, ...]:
    """What the configuration should say and does not."""
    names = config.defaulted()
    said = f"config.json does not say {', '.join(names)}: taken as usual for {config.type}"
    has_heads = any(True for _ in config.written(*HEADS)) or "num_attention_heads" in names
    one = "config.json does not say how many attention heads there are: taken as one"
    looks_back = any(mixer.width for mixer in mixers)
    return (*([said] if names else []), *([one] if looks_back and not has_heads else []))


def _commonest(tally: Tally | None) -> str | None:
    """The type of most of the bytes."""
    if tally is None or not tally.types:
        return None
    kind = max(tally.types, key=lambda name: tally.types[name])
    return _TYPES.get(kind, kind) or None


def _name(path: Path) -> str:
    """That of the folder; in the cache of Hugging Face it stands two folders up ("models--ORG--NAME/snapshots/REV")."""
    folder = path if path.is_dir() else path.parent
    above = folder.parent.parent.name
    if folder.parent.name == "snapshots" and above.startswith("models--"):
        return above.rpartition("--")[2]
    return "".join(filter(str.isprintable, folder.name or folder.resolve().name))

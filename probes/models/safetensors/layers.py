"""What each layer of a model is, as its `config.json` says it."""

from msgspec import Struct

from .blocks import blocks
from .config import Config
from .feeds import Feed, feed
from .kinds import kinds
from .mixer import Mixer
from .mixers import mixers


class Layer(Struct, frozen=True):
    """One layer."""

    mixers: tuple[Mixer, ...]
    feed: Feed

    @property
    def is_linear(self) -> bool:
        """Whether it keeps a state and looks back over nothing."""
        return bool(self.mixers) and not any(mixer.width for mixer in self.mixers)


def layers(config: Config) -> list[Layer]:
    """The layers of a language model; empty if the configuration does not tell."""
    if not config.whole("hidden_size", "n_embd", "d_model"):
        return []
    found = blocks(config)
    if found is not None:
        return [Layer(mixing, network) for mixing, network in found]
    letters = _letters(config)
    return [
        Layer(mixers(config, kind, layer), feed(config, layer, letters[layer] if layer < len(letters) else ""))
        for layer, kind in enumerate(kinds(config))
    ]


def _letters(config: Config) -> str:
    """What each layer does in a model in which each does one thing alone; empty for other models."""
    if config.type in {"mamba", "mamba2", "falcon_mamba"}:
        return "M" * (config.layers or 0)
    pattern = config.text("hybrid_override_pattern")
    if pattern is not None or config.type != "nemotron_h":
        return pattern or ""
    short = {"mamba": "M", "linear_attention": "M", "moe": "E", "mlp": "-"}
    return "".join(short.get(name, "*") for name in config.texts("layer_types", "layers_block_type") or [])

"""Parameters by role, by arithmetic from a `config.json` alone."""

from msgspec import Struct

from .config import Config
from .layers import Layer, layers
from .roles import Role


class Parts(Struct, frozen=True, kw_only=True):
    """Parameters of the language model; what it sees and hears with, and layers that predict ahead, are left out."""

    embedding: int
    """The input embedding table."""
    head: int
    """The output head; 0 where the table serves as one."""
    experts: int
    """Routed experts of all layers."""
    body: int
    """All else that each token uses: attention, dense networks, shared experts, routers, norms."""
    lookup: int = 0
    """Tables of which a token needs one row in each layer (gemma 3n and later)."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.embedding + self.head + self.experts + self.body + self.lookup

    def by_role(self) -> dict[Role, int]:
        """The same, under the roles that tensors have."""
        named: dict[Role, int] = {
            "embedding": self.embedding,
            "head": self.head,
            "experts": self.experts,
            "body": self.body,
            "unused": self.lookup,
        }
        return {role: count for role, count in named.items() if count}


def is_tied(config: Config) -> bool:
    """Whether the embedding table is the output head, too; the outer configuration may overrule the inner one."""
    return config.flag("tie_word_embeddings") is True


def parts(config: Config, found: list[Layer] | None = None) -> Parts | None:
    """The parameters of a language model, within some 0.1 % (small vectors are left out); None if it does not tell.

    Args:
        config: of the language model itself (`Config.language`).
        found: its layers, if they have been read already.
    """
    found = layers(config) if found is None else found
    hidden, vocabulary = (
        config.whole("hidden_size", "n_embd", "d_model"),
        config.whole("padded_vocab_size", "vocab_size"),
    )
    if not found or not hidden or not vocabulary:
        return None
    table = hidden * vocabulary
    body = sum(mixer.parameters for layer in found for mixer in layer.mixers)
    body += sum(layer.feed.parameters for layer in found) + 2 * hidden * len(found) + hidden
    narrow, count = config.whole("hidden_size_per_layer_input") or 0, len(found)
    rows = config.whole("vocab_size_per_layer_input") or vocabulary
    return Parts(
        embedding=table,
        head=0 if is_tied(config) else table,
        experts=sum(layer.feed.expert_parameters for layer in found),
        body=body + 3 * hidden * narrow * count + _altup(config, hidden, count),
        lookup=rows * narrow * count,
    )


def _altup(config: Config, hidden: int, count: int) -> int:
    """Gemma 3n: several copies of the residual stream, and a low-rank bypass in each layer."""
    copies, rank = config.whole("altup_num_inputs") or 0, config.whole("laurel_rank") or 0
    return 2 * hidden * hidden * max(copies - 1, 0) + 2 * hidden * rank * count

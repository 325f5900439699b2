"""Writes a decoder of random weights as CTranslate2 stores it, in int8: ctranslate2_model.py FOLDER.

No other framework is needed.
"""

import sys
from importlib import import_module
from typing import Any

import numpy as np

ctranslate2: Any = import_module("ctranslate2")
common_spec: Any = import_module("ctranslate2.specs.common_spec")
transformer_spec: Any = import_module("ctranslate2.specs.transformer_spec")

WIDTH, LAYERS, HEADS, FEED_FORWARD, VOCABULARY = 512, 8, 8, 2048, 4096
WORDS = ("<unk>", "<s>", "</s>", *(f"word{number}" for number in range(VOCABULARY - 3)))


def write(folder: str) -> None:
    """A decoder of 33 M parameters with rotary positions."""
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        LAYERS,
        HEADS,
        activation=common_spec.Activation.SWISH,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
    )
    random = np.random.default_rng(1)

    def matrix(rows: int, columns: int) -> Any:  # noqa: ANN401  # an array, of a class that has no name here
        return random.standard_normal((rows, columns), dtype=np.float32) * columns**-0.5

    decoder = spec.decoder
    decoder.scale_embeddings = False
    decoder.embeddings.weight = matrix(VOCABULARY, WIDTH)
    decoder.projection.weight = matrix(VOCABULARY, WIDTH)
    decoder.layer_norm.gamma = np.ones(WIDTH, dtype=np.float32)
    for layer in decoder.layer:
        attention, network = layer.self_attention, layer.ffn
        attention.layer_norm.gamma = np.ones(WIDTH, dtype=np.float32)
        attention.linear[0].weight = matrix(3 * WIDTH, WIDTH)
        attention.linear[1].weight = matrix(WIDTH, WIDTH)
        network.layer_norm.gamma = np.ones(WIDTH, dtype=np.float32)
        network.linear_0.weight = matrix(FEED_FORWARD, WIDTH)
        network.linear_0_noact.weight = matrix(FEED_FORWARD, WIDTH)
        network.linear_1.weight = matrix(WIDTH, FEED_FORWARD)
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<s>", "</s>", "<unk>"
    spec.config.layer_norm_epsilon = 1e-5
    spec.register_vocabulary(list(WORDS))
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(folder)


if __name__ == "__main__":
    write(sys.argv[1])

"""Generates with CTranslate2 without an end, watched by llmtop.hook: ctranslate2_loop.py FOLDER MOMENTS.

It notes the moment of each token itself, one a line of the file MOMENTS.
"""

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from llmtop import hook

ctranslate2: Any = import_module("ctranslate2")
generator = ctranslate2.Generator(sys.argv[1], compute_type="int8", intra_threads=1)
moments = Path(sys.argv[2]).open("w", buffering=1)  # noqa: SIM115  # until the process ends


def note(_: object) -> bool:
    """One token has come; True would stop it."""
    moments.write(f"{time.monotonic()}\n")
    return False


while True:
    with hook.generation(engine="ctranslate2", model=sys.argv[1], quantization=generator.compute_type) as seen:
        generator.generate_batch(
            [["<s>"]],
            max_length=3000,
            min_length=3000,
            sampling_topk=1,
            callback=hook.ctranslate2.callback(seen, note),
        )

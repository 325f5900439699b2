"""A real llama-server with flags of the real one: llama_server.py --model M --port P [-c N] [-np N]."""

import argparse
import time
from importlib import import_module
from typing import Any

xllamacpp: Any = import_module("xllamacpp")  # it has no types
options = argparse.ArgumentParser(allow_abbrev=False)
options.add_argument("--model", required=True)
options.add_argument("--port", type=int, required=True)
options.add_argument("-c", "--ctx-size", type=int, default=8192)
options.add_argument("-np", "--parallel", type=int, default=4)
asked, _ = options.parse_known_args()

settings = xllamacpp.CommonParams()
settings.model.path, settings.port = asked.model, asked.port
settings.n_ctx, settings.n_parallel = asked.ctx_size, asked.parallel
settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
settings.endpoint_slots = True
server = xllamacpp.Server(settings)
time.sleep(1 << 20)

"""Runs a real llama-server.

python serve.py MODEL PORT [slots=N] [threads=N] [noslots] [nometrics] [key=K] [sleep=S]
"""

import sys
import time
from importlib import import_module
from typing import Any

xllamacpp: Any = import_module("xllamacpp")  # it has no types
flags = {name: value for name, _, value in (word.partition("=") for word in sys.argv[3:])}
settings = xllamacpp.CommonParams()
settings.model.path, settings.port = sys.argv[1], int(sys.argv[2])
settings.n_ctx = 8192
settings.n_parallel = int(flags.get("slots", "2"))
settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = int(flags.get("threads", "1"))
settings.endpoint_slots = "noslots" not in flags
settings.endpoint_metrics = "nometrics" not in flags
if "key" in flags:
    settings.api_keys = [flags["key"]]
if "sleep" in flags:
    settings.sleep_idle_seconds = int(flags["sleep"])
server = xllamacpp.Server(settings)
time.sleep(3600)

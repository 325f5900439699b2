"""Serves a model folder by Ray Serve LLM: python ray_app.py FOLDER PORT EXPORTER_PORT."""

import sys
from importlib import import_module
from typing import Any

ray: Any = import_module("ray")
serve: Any = import_module("ray.serve")
llm: Any = import_module("ray.serve.llm")

model, port, exporter = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ray.init(num_cpus=6, _metrics_export_port=exporter)  # more than there are: each part of the application books one
serve.start(http_options={"host": "127.0.0.1", "port": port})
configuration = llm.LLMConfig(
    model_loading_config={"model_id": "small", "model_source": model},
    deployment_config={"autoscaling_config": {"min_replicas": 1, "max_replicas": 1}},
    placement_group_config={"bundles": [{"CPU": 1}]},
    engine_kwargs={"enforce_eager": True, "max_model_len": 4096, "max_num_seqs": 4, "gpu_memory_utilization": 0.2},
)
serve.run(llm.build_openai_app({"llm_configs": [configuration]}), blocking=True)

"""An emulated Ollama: a parent process called `ollama` with a real llama-server as its child, as from v0.30 on."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

from .contract import INSIDE, PROMPT, Start, Through
from .llama_server import gguf

_PATHS = "import sys; print(*filter(None, sys.path), sep='\\n')"


class Ollama:
    name: ClassVar[str] = "ollama"
    needs: ClassVar[tuple[str, ...]] = ("xllamacpp", "gguf")
    distribution: ClassVar[str] = "xllamacpp"
    unwanted: ClassVar[tuple[str, ...]] = ()
    through: ClassVar[Through] = "itself"
    window_s: ClassVar[float] = 10.0
    streams: ClassVar[int] = 2

    def start(self, python: Path, folder: Path, port: int) -> Start:
        """A program is called as the link to the interpreter is; its first argument is a script called `serve`."""
        models = folder / "models"
        _store(gguf(folder), models)
        for name in ("ollama", "llama-server"):
            (folder / name).symlink_to(python.resolve())
        shutil.copy(INSIDE / "ollama_serve.py", folder / "serve")
        found = subprocess.run([python, "-c", _PATHS], capture_output=True, text=True, check=True).stdout.split("\n")
        return Start(
            command=(str(folder / "ollama"), "serve"),
            url=f"http://127.0.0.1:{port}",
            settings={
                "PYTHONPATH": os.pathsep.join(path for path in found if "site-packages" in path),
                "OLLAMA_HOST": f"127.0.0.1:{port}",
                "OLLAMA_MODELS": str(models),
                "LLAMA_SERVER": f"{folder / 'llama-server'}{os.pathsep}{INSIDE / 'llama_server.py'}",
            },
            ready="/",
        )

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        prompt = f"{PROMPT} " * (1 + number)
        return "/api/generate", {"model": "small", "prompt": prompt, "options": {"num_predict": 1900}}

    def count(self, line: bytes, before: int) -> int:
        return before + (line.startswith(b"{") and bool(json.loads(line).get("response")))


def _store(model: Path, models: Path) -> None:
    """Moves the model to where Ollama keeps it, with the manifest that gives it a name."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    (models / "blobs").mkdir(parents=True)
    model.rename(models / "blobs" / f"sha256-{digest}")
    manifest = models / "manifests" / "registry.ollama.ai" / "library" / "small" / "latest"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": [layer]}))

"""What a listing of the models of this machine tells of each."""

from pathlib import Path

from msgspec import Struct


class Stored(Struct, frozen=True, kw_only=True):
    """One model on this machine, complete as far as the names of its files tell."""

    name: str
    """As a person types it for `--model`: what `locate` finds this model by."""
    path: Path
    """What `facts` reads: a file, the first of its shards, or a folder."""
    store: str
    """ "Hugging Face", "LM Studio", "Ollama", "llama.cpp" or "folder": who put it there."""
    size_bytes: int
    """Of its weights, all shards together."""

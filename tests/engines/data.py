"""Answers of engines as files."""

from pathlib import Path

DATA = Path(__file__).parent.parent / "data"


def body(engine: str, name: str) -> bytes:
    return (DATA / engine / name).read_bytes()

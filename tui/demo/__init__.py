"""A real engine with a made-up model and a few streams of work: what `llmtop demo` shows."""

from .error import DemoError
from .run import Demo

__all__ = ["Demo", "DemoError"]

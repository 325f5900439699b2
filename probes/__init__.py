"""What the machine and the engines say. Imports nothing else of llmtop."""

VERSION = "0.1.0"
"""Of llmtop: it stands here because engines are told it too."""

"""What the machine and the engines say. Imports nothing else of llmtop."""

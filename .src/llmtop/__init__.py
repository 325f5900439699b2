"""llmtop: the live tokens/s of local LLM engines, against what the hardware allows."""

"""`llmtop fit`: what a machine can run."""

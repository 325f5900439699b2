"""NVIDIA GPUs, through the library that their driver brings."""

"""Intel GPUs, from the files of the kernel's two drivers."""

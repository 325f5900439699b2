"""GPUs and firmware of other systems on a chip."""

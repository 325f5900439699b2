"""What the CPU and the whole machine draw."""

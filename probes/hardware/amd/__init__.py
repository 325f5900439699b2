"""AMD GPUs and APUs, from the files of the kernel's driver."""

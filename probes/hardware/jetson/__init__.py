"""Modules of the NVIDIA Jetson family."""

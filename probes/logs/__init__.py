"""Engines that tell their speed in a log only: what they print, read as it is written."""

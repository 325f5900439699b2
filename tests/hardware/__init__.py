"""Tests of what reads the hardware."""

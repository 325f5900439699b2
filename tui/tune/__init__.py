"""Tuning the power limit: the command and the screen, which share everything but how it looks."""

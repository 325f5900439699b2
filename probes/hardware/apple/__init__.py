"""Chips of Apple."""

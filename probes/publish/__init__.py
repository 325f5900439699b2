"""Publishes on loopback what llmtop has counted itself: its proxy, and its hook in other people's programs.

The standard library alone, and little of it: a user's script imports this.
"""

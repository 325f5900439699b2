"""The two themes of llmtop: one meaning, one colour. Teal is measured, violet expected, orange the ceiling."""

from textual.theme import Theme

DARK = Theme(
    name="llmtop-dark",
    primary="#4fd6be",
    secondary="#a394f7",
    accent="#f2a65a",
    warning="#f0cf65",
    error="#ff757f",
    success="#8bd67c",
    foreground="#d5dbe6",
    background="#0e1116",
    surface="#151a21",
    panel="#232a35",
    dark=True,
)

LIGHT = Theme(
    name="llmtop-light",
    primary="#00796b",
    secondary="#5b3fc4",
    accent="#b3510a",
    warning="#8a6100",
    error="#b3202c",
    success="#2c7a2c",
    foreground="#1f2733",
    background="#fbfaf7",
    surface="#f1efe9",
    panel="#ddd9cf",
    dark=False,
)

OWN = (DARK, LIGHT)

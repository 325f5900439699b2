"""What this machine is, as text for a terminal and as Markdown for a forum."""

import shutil
import sys
import textwrap
from collections.abc import Sequence

from .machine import Section

WIDTH = 100
"""Columns of the text, so that it survives being pasted."""
_LABEL = 11


def columns() -> int:
    """`WIDTH`, or those of a terminal that is narrower."""
    narrow = sys.stdout is not None and sys.stdout.isatty()
    return min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH) if narrow else WIDTH


def text(sections: Sequence[Section], width: int = WIDTH) -> str:
    """One block of lines a section."""
    return "\n\n".join("\n".join([section.title, *_lines(section, width)]) for section in sections)


def markdown(sections: Sequence[Section], version: str) -> str:
    """A heading and a table a section: what GitHub, Reddit and Discourse show alike."""
    blocks = [
        "\n".join([f"**{_cell(section.title)}**", "", "| | |", "|---|---|", *_rows(section)]) for section in sections
    ]
    return "\n\n".join([*blocks, f"llmtop {version}, `llmtop probe --markdown`"])


def _lines(section: Section, width: int) -> list[str]:
    """Commands and paths stay whole, so that they can be copied."""
    lines: list[str] = []
    for label, words in section.lines:
        head = f"  {label:<{_LABEL}}"
        lines += textwrap.wrap(
            words,
            max(width, 2 * len(head)),
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def _rows(section: Section) -> list[str]:
    return [f"| {_cell(label)} | {_cell(words)} |" for label, words in section.lines]


def _cell(words: str) -> str:
    """Signs that would end a cell or begin markup."""
    return words.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")

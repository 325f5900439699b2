"""Property lists of programs of macOS, which may be cut off or damaged."""

from typing import cast


def read_plist(text: bytes) -> object:
    """What is in one, of XML or binary; None where it cannot be read."""
    import plistlib  # noqa: PLC0415 - a millisecond that no other machine needs to spend
    from xml.parsers.expat import ExpatError  # noqa: PLC0415

    try:
        return cast("object", plistlib.loads(text))
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError, RecursionError, ExpatError):
        return None


def dictionary(value: object) -> dict[str, object]:
    """Empty for everything that is none."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}

"""Bars that fit in a line."""

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float | None, width: int) -> str:
    """A bar of exactly `width` cells, filled to `share` (0-1) in eighths of a cell."""
    if width <= 0:
        return ""
    if share is None:
        return " " * width
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    if share > 0 and eighths == 0:
        eighths = 1
    full, part = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[part] if part else "")).ljust(width)


def split_bar(share: float | None, width: int) -> tuple[str, str]:
    """The bar as its filled and its empty part, to give each its own ink."""
    drawn = bar(share, width)
    filled = drawn.rstrip(" ")
    return filled, drawn[len(filled) :]

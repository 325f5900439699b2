"""What macOS says of its hardware, a key at a time."""

import subprocess


def sysctl(key: str) -> str | None:
    """The value as text; None where there is no such key, or no such command."""
    try:
        told = subprocess.run(  # noqa: S603 - a fixed command
            ["/usr/sbin/sysctl", "-n", key], capture_output=True, text=True, timeout=2, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None


def sysctl_number(key: str) -> int | None:
    """The value as a whole number."""
    text = sysctl(key)
    return int(text) if text and text.isdigit() else None

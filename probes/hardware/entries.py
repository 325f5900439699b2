"""What a folder of the kernel holds; there may be none, and some systems keep all of them from everybody but root."""

from pathlib import Path


def entries(folder: Path, pattern: str) -> list[Path]:
    """Those with such a name, sorted; empty also where nobody may look, which makes `Path.glob` fail until 3.13."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def there(path: Path) -> bool:
    """Whether something is there that this user may know of; `Path.exists` fails in a folder that is locked."""
    try:
        return path.exists()
    except OSError:
        return False

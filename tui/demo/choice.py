"""Which model a machine can show off with."""

from msgspec import Struct

from .error import DemoError
from .shape import SHAPES, Shape


class Size(Struct, frozen=True):
    """A model to make up, by its name on the command line."""

    name: str
    shape: Shape
    quantization: str = "Q4_0"

    @property
    def file_name(self) -> str:
        """Name of its file; the number changes with what is written into it."""
        return f"{self.name}-{self.quantization}-1.gguf".lower()

    @property
    def file_bytes(self) -> int:
        """About the size of its file."""
        return self.shape.file_bytes(self.quantization)

    @property
    def token_bytes(self) -> int:
        """About the bytes that decoding one token reads."""
        return self.shape.token_bytes(self.quantization)


SIZES = tuple(Size(name, SHAPES[name]) for name in ("0.3b", "0.6b", "1b", "3b", "8b"))
"""From small to large."""
_USUAL = 2
_LARGEST_CHOSEN = 3
_CACHES = 4
"""A model of so many caches is read from memory for every token."""
_SHARE = 3
_MANY_CORES = 4


def named_size(name: str) -> Size:
    """The size that a person asks for.

    Raises:
        DemoError: there is none of this name.
    """
    known = {size.name: size for size in SIZES} | {"nano": Size("nano", SHAPES["nano"], "Q8_0")}
    found = known.get(name.strip().lower())
    if found is None:
        raise DemoError(f"no demo model of size {name!r}: there are {', '.join(size.name.upper() for size in SIZES)}")
    return found


def choose_size(free_memory_bytes: int, llc_bytes: int | None, free_disk: int, cores: int = _MANY_CORES) -> Size:
    """The model that shows memory-bound decoding best, and is ready in seconds.

    That is the 1B one. A machine of four cores or more takes the next one if 1B is less than four times its last-level
    cache (1B of four bits reads 0.6 GB a token). Any model has to fit in a third of the free memory, and on the disk.

    Args:
        free_memory_bytes: memory that programs can get now.
        llc_bytes: last-level cache; None if it is not known.
        free_disk: bytes free where the model goes, with those of one that is there.
        cores: physical cores.

    Raises:
        DemoError: not even the smallest one fits.
    """
    fitting = [size for size in SIZES if size.file_bytes * _SHARE <= free_memory_bytes and size.file_bytes <= free_disk]
    if not fitting:
        least = SIZES[0].file_bytes
        short = "disk" if least > free_disk else "memory"
        need, have = (least, free_disk) if short == "disk" else (least * _SHARE, free_memory_bytes)
        raise DemoError(f"not enough {short} for a demo model: {need / 1e9:.1f} GB needed, {have / 1e9:.1f} GB free")
    last = _LARGEST_CHOSEN if cores >= _MANY_CORES else _USUAL
    wanted = SIZES[_USUAL:last]
    enough = [size for size in wanted if size.token_bytes >= _CACHES * (llc_bytes or 0)]
    best = enough[0] if enough else SIZES[last]
    return best if best in fitting else fitting[-1]

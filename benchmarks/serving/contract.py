"""What it takes to run an engine and to count what it makes, apart from what it tells of itself."""

from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from msgspec import Struct
from msgspec.json import Decoder

HERE = Path(__file__).parent
INSIDE = HERE / "inside"
"""Scripts that the interpreter of an engine runs: they import nothing of ours but `llmtop.hook`."""
PROMPT = "baba bebe bibi bobo bubu"
Through = Literal["itself", "proxy", "hook"]


class Start(Struct, frozen=True, kw_only=True):
    """One engine, ready to be started."""

    command: tuple[str, ...]
    url: str
    """Where clients ask."""
    settings: dict[str, str] = {}
    """Added to the environment."""
    ready: str = "/v1/models"
    """A path that answers 200 once it serves."""
    watched: tuple[str, ...] = ()
    """URLs that llmtop is told of besides; Ray publishes its counts elsewhere."""


class Recipe(Protocol):
    """One engine."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    """What pip installs for it."""
    distribution: ClassVar[str]
    """The one of them that is the engine; its version is the engine's."""
    unwanted: ClassVar[tuple[str, ...]]
    """What pip must take away again, since it does not fit."""
    through: ClassVar[Through]
    """How llmtop comes to know its rate."""
    window_s: ClassVar[float]
    """Seconds that are compared: 10, or 60 where the engine publishes every 10 s."""
    streams: ClassVar[int]

    def start(self, python: Path, folder: Path, port: int) -> Start:
        """How to run it.

        Args:
            python: interpreter that has it.
            folder: an empty one; the model is written there.
            port: for its server.
        """
        ...

    def question(self, number: int) -> tuple[str, dict[str, Any]]:
        """Path and JSON body of the request that stream `number` repeats; its answer outlasts a window."""
        ...

    def count(self, line: bytes, before: int) -> int:
        """Tokens of one answer so far, `before` among them, after one more line of its stream."""
        ...


class _Choice(Struct):
    text: str = ""


class _Usage(Struct):
    completion_tokens: int = 0


class _Chunk(Struct):
    """One `data:` line of a stream of /v1/completions."""

    choices: list[_Choice] = []
    usage: _Usage | None = None


_decode = Decoder(_Chunk).decode


def _chunk(line: bytes) -> _Chunk:
    text = line.removeprefix(b"data:").strip()
    return _decode(text) if line.startswith(b"data:") and text.startswith(b"{") else _Chunk()


def pieces(line: bytes, before: int) -> int:
    """The count where each piece of text is one token: the model folder's tokens are whole words."""
    return before + any(choice.text for choice in _chunk(line).choices)


def told(line: bytes, before: int) -> int:
    """The count as vLLM tells it in each line: one line may hold several tokens where the client is slow."""
    usage = _chunk(line).usage
    return max(usage.completion_tokens, before) if usage else before

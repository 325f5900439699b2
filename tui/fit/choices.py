"""What the fit screen lets a person choose from lists, and the question with the choice in it."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from msgspec.structs import replace

from ...estimator.catalogue.formats import kv_formats
from ...estimator.fit import READING_TPS, Box
from ..format import percent
from .arguments import TASKS
from .ask import CONTEXTS, Ask
from .engines import engine_options

What = Literal["engine", "context", "kv", "speed", "task"]
SPEEDS = (3.0, 5.0, READING_TPS, 12.0, 20.0, 30.0, 50.0, 100.0)
"""Tokens a second that may be enough."""
ALL = "all"
_MADE_FOR = {
    "chat": "answers",
    "code": "writes programs",
    "vision": "looks at pictures",
    "reasoning": "thinks before it answers",
    "embed": "makes vectors of a text",
}


class Choices(NamedTuple):
    """A list to choose from."""

    heading: str
    options: list[tuple[str, str]]
    """Each by name, with words about it."""
    chosen: str


def choices(what: What, ask: Ask, box: Box | None) -> Choices:
    """What there is to choose; `box` is the machine, None where it is not known."""
    make: dict[What, Callable[[], Choices]] = {
        "engine": lambda: Choices("engine", engine_options(box), ask.engine),
        "context": lambda: Choices("context", [(_k(each), f"{each} tokens") for each in CONTEXTS], _k(ask.context)),
        "kv": lambda: Choices("format of the KV cache", _caches(), ask.kv),
        "speed": lambda: Choices("least tok/s", _speeds(), f"{ask.least_tps or READING_TPS:g}"),
        "task": lambda: Choices("made for", [(ALL, "models that answer"), *_tasks()], ask.task or ALL),
    }
    return make[what]()


def taken(what: What, ask: Ask, name: str) -> Ask:
    """The question with what was chosen."""
    match what:
        case "engine":
            return replace(ask, engine=name)
        case "context":
            return replace(ask, context=int(name.removesuffix("k")) * 1024)
        case "kv":
            return replace(ask, kv=name)
        case "speed":
            return replace(ask, least_tps=None if float(name) == READING_TPS else float(name))
        case "task":
            return replace(ask, task=None if name == ALL else name)


def _k(tokens: int) -> str:
    return f"{tokens // 1024}k"


def _caches() -> list[tuple[str, str]]:
    whole = kv_formats()["f16"].bytes
    return [(name, f"{percent(row.bytes / whole)} of f16") for name, row in kv_formats().items()]


def _speeds() -> list[tuple[str, str]]:
    return [(f"{each:g}", "as fast as one reads" if each == READING_TPS else "") for each in SPEEDS]


def _tasks() -> list[tuple[str, str]]:
    return [(task, _MADE_FOR[task]) for task in TASKS]

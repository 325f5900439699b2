"""How one engine wants to be asked: found out by asking, and shared by all streams of a load."""

from copy import copy

import msgspec
from msgspec import Struct

from .load_events import message
from .load_wire import Answer, LoadError, Refused, Wire
from .load_words import Size, body

COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"
_NO_SUCH_WAY = frozenset({404, 405, 501})
_NOT_UNDERSTOOD = frozenset({400, 413, 422})
_TOO_MUCH = ("context", "length", "exceed", "too long", "too many", "max_tokens", "maximum")
"""Words of a refusal that is about the size of a request."""


class _Entry(Struct):
    id: str
    parent: str | None = None
    """The model that an adapter belongs to."""


class _Models(Struct):
    data: list[_Entry] = []


class Dialect:
    """The path, the model and the extras that the engine takes."""

    def __init__(self, engine: str | None, model: str | None) -> None:
        self._engine = engine
        self._given = self._model = model
        self._path = COMPLETIONS
        self._plain = False
        self.size = Size()

    def ask(self, wire: Wire, prompt: str, answer: int, *, begun: int) -> Answer:
        """Sends one request.

        Raises:
            LoadError: it is not served; when asked again it is asked in another way, as long as there is one.
        """
        model = self._model
        if model is None:
            model = self._model = self._served(wire, begun)
        path, plain, size = self._path, self._plain, copy(self.size)
        chat = path == CHAT
        asked = body(prompt, answer, chat=chat, model=model, engine=self._engine, plain=plain)
        found = wire.ask("POST", path, asked, begun=begun)
        if found.status == 200:
            return found
        with found:
            reason = wire.redacted(message(found.read())) if found.status not in {401, 403} else ""
        refusal = _refused(found.status, path, reason)
        if self._learn(refusal, path, plain=plain, size=size):
            shorter = prompt[: len(prompt) // 2] if self.size.words < size.words else prompt
            return self.ask(wire, shorter, min(answer, self.size.answer), begun=begun)
        if found.status == 404:
            self._model = self._given  # another model may be served by now
        raise refusal

    def _learn(self, refusal: Refused, path: str, *, plain: bool, size: Size) -> bool:
        """Whether there is another way to ask than this one; another stream may have found it meanwhile."""
        status, reason = refusal.status, refusal.reason.lower()
        if status in _NO_SUCH_WAY and path == COMPLETIONS and "model" not in reason:
            self._path = CHAT
            return True
        if status in _NOT_UNDERSTOOD:
            if any(word in reason for word in _TOO_MUCH) and (self.size != size or self.size.shrink()):
                return True
            if not plain:
                self._plain = True
                return True
        return False

    @staticmethod
    def _served(wire: Wire, begun: int) -> str | None:
        """The model to name in requests; None where the engine tells none, and may need none."""
        with wire.ask("GET", "/v1/models", None, begun=begun) as found:
            if found.status in {401, 403}:
                raise _refused(found.status, "/v1/models", "")
            if found.status == 503:
                raise _refused(503, "/v1/models", "")
            if found.status != 200:
                return None
            try:
                models = msgspec.json.decode(found.read(), type=_Models).data
            except (msgspec.MsgspecError, RecursionError):
                return None
        names = [each.id for each in models if not each.parent]
        if len(names) > 1:
            few = ", ".join(wire.redacted(name) for name in names[:4]) + (", …" if len(names) > 4 else "")
            raise LoadError(f"the engine serves several models ({few}): say which")
        return names[0] if names else None


def _refused(status: int, path: str, reason: str) -> Refused:
    if status in {401, 403}:
        line = "the engine wants another API key: set LLMTOP_API_KEY"
    elif status == 503:
        line = "the engine is not ready: it loads its model, or has too much to do"
    elif status == 429:
        line = "the engine takes no more requests now"
    else:
        line = f"the engine answers {status} to POST {path}" + (f": {reason}" if reason else "")
    return Refused(status, line, reason)

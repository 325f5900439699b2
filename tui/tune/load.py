"""The load that llmtop makes itself when asked to: a few clients that keep an engine busy. Answers are not kept."""

import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Literal, Self

import msgspec

from .load_count import Counted
from .load_dialect import Dialect
from .load_events import Usage, events
from .load_wire import Aborted, LoadError, Wire
from .load_words import SHORT_WORDS, Words

Phase = Literal["decode", "prefill", "both"]
TICK_S = 0.2
"""Seconds between two calls of `on_tokens`, whether tokens came or not: an engine that stands still is seen."""
RETRY_S = 1.0
CLOSE_S = 0.9
"""Seconds that `close` waits for its threads; what they had asked for is ended before."""


class Load:
    """Keeps `streams` requests running from `with` to its end. Trouble is told in `problem`, and tried again."""

    def __init__(
        self,
        url: str,
        *,
        streams: int = 1,
        phase: Phase = "decode",
        model: str | None = None,
        api_key: str | None = None,
        engine: str | None = None,
        on_tokens: Callable[[float, float], None] | None = None,
        on_prompt: Callable[[float, float, float], None] | None = None,
    ) -> None:
        """Sends nothing yet.

        Args:
            url: base URL of an engine that speaks as OpenAI's API does.
            streams: requests at once.
            phase: "decode": short prompts and long answers; "prefill": long prompts and one token; "both": both long.
            model: the name to ask for; None asks the engine, which must serve one only.
            api_key: sent as a bearer token, never shown.
            engine: its name, as people write it: some take more than OpenAI's fields.
            on_tokens: takes monotonic seconds and all tokens generated so far; from a thread of the load, a few times a
                second, whether any came or not. Not called while only prompts are read in.
            on_prompt: takes monotonic seconds, tokens that were read in, and seconds to the first token.

        Raises:
            ValueError: the URL or the key cannot be used; its text is one line and never repeats the key.
        """
        self._wires = [Wire(url, api_key) for _ in range(max(streams, 1))]
        self._phase: Phase = phase
        self._dialect = Dialect(engine, model)
        self._on_tokens, self._on_prompt = on_tokens, on_prompt
        self._count = Counted()
        self._closed = Event()
        self._lock = Lock()
        self._problem: str | None = None
        self._uncounted = False
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        jobs = [(self._stream, wire) for wire in self._wires]
        self._threads = [Thread(target=job, args=(wire,), name="load", daemon=True) for job, wire in jobs]
        self._threads.append(Thread(target=self._tick, name="load count", daemon=True))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all requests at once; returns within a second."""
        self._closed.set()
        for wire in self._wires:
            wire.abort(close=True)
        deadline = time.monotonic() + CLOSE_S
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))

    @property
    def phase(self) -> Phase:
        """What the engine is kept busy with."""
        return self._phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        """Ends what runs, and goes on with the other."""
        if phase != self._phase:
            self._phase = phase
            for wire in self._wires:
                wire.abort()

    @property
    def problem(self) -> str | None:
        """Why the last request was not served, in one sentence; None while they are."""
        return self._problem

    @property
    def tokens(self) -> float:
        """All tokens that came so far. Never falls."""
        return self._count.tokens

    @property
    def about(self) -> bool:
        """Whether an event was taken for a token, since the engine has not told yet how many there were."""
        return self._count.about

    def _tick(self) -> None:
        while not self._closed.wait(TICK_S):
            if self._on_tokens is not None and self._phase != "prefill":
                self._on_tokens(time.monotonic(), self._count.tokens)

    def _stream(self, wire: Wire) -> None:
        words, first = Words(), True
        while not self._closed.is_set():
            begun = wire.round
            try:
                self._one(wire, words, begun, first=first)
            except Aborted:
                continue
            except LoadError as trouble:
                self._problem = str(trouble)
                self._closed.wait(RETRY_S)
            else:
                first = False

    def _one(self, wire: Wire, words: Words, begun: int, *, first: bool) -> None:
        """One request.

        Raises:
            LoadError: it was not served to its end.
        """
        phase, size = self._phase, self._dialect.size
        prompt = words.prompt(SHORT_WORDS if phase == "decode" else size.words)
        most = 1 if phase == "prefill" else words.some(size.answer) if first else size.answer
        read_in: float | None = None
        usage: Usage | None = None
        request = self._count.request()
        with self._dialect.ask(wire, prompt, most, begun=begun) as answer:
            try:
                for event in events(answer):
                    if event.trouble is not None:
                        raise LoadError(f"the engine stops in the middle: {wire.redacted(event.trouble)}")
                    if event.has_text:
                        read_in = read_in or time.monotonic()
                        if phase != "prefill":
                            request.add()
                        self._problem = self._unspoken
                    usage = event.usage or usage
            except (msgspec.MsgspecError, RecursionError):
                raise LoadError("the engine streams what no engine streams") from None
        if phase != "prefill":
            request.end(usage.completion_tokens if usage else None)
        if read_in is None and usage is None:
            raise LoadError("the engine ends its answer without a token")
        if phase != "decode":
            self._report(answer.asked, read_in or time.monotonic(), usage)

    def _report(self, started: float, ended: float, usage: Usage | None) -> None:
        """Tells of a prompt."""
        tokens = usage.read_in if usage else None
        self._uncounted = tokens is None
        self._problem = self._unspoken
        if self._on_prompt is not None and tokens:
            self._on_prompt(ended, float(tokens), ended - started)

    @property
    def _unspoken(self) -> str | None:
        if self._uncounted and self._phase == "prefill":
            return "the engine does not tell how long a prompt was: no prefill rate"
        return None

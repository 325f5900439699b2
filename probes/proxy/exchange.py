"""One request and its answer, as far as tokens go."""

from collections.abc import Callable, Iterator
from math import ceil

from ..publish.request import Request
from .asked import ModelName
from .lines import Events, Lines, progress
from .message import Head
from .pace import Pace
from .packing import PackedOtherwise, Unpacker
from .told import Told, tell

GENERATING = frozenset(
    {
        "completions",
        "completion",
        "responses",
        "messages",
        "generate",
        "generate_stream",
        "stream",
        "chat",
        "infill",
        "invocations",
        "embeddings",
        "embedding",
        "embed",
    }
)
"""Last parts of the paths that make an engine work, in all the APIs of `told`."""
LARGEST_DOCUMENT = 1 << 20


class Exchange:
    """Counts while the answer passes. Errors end the counting of this exchange, and nothing else."""

    def __init__(self, head: Head, begin: Callable[[str], Request], paces: dict[str, Pace]) -> None:
        """Nothing counts yet.

        Args:
            head: of the request.
            begin: opens the counts of a request for a model of this name ("" where it names none).
            paces: what is known of tokens in a piece, by path and model.
        """
        self.method = head.method
        path = head.target.partition(b"?")[0].decode("ascii", "replace")
        self._path = path
        self._works = head.method == "POST" and path.rstrip("/").rpartition("/")[2] in GENERATING
        self._begin = begin
        self._paces = paces
        self._pace = Pace()
        self._name = ModelName()
        self._request: Request | None = None
        self._unpacker: Unpacker | None = None
        self._read: Callable[[bytes], Iterator[bytes]] | None = None
        self._lines = Lines()
        self._events = Events()
        self._document = bytearray()
        self._pieces = 0
        self._generated: int | None = None
        self._prompt: int | None = None
        self._drafted = self._accepted = 0
        self.is_off = False
        """Whether an error has ended its counting."""

    def asked(self, body: bytes) -> None:
        """Part of the request's body: only the name of the model is looked for."""
        if self._works and not self._name.is_over:
            self._name.feed(body)

    def asked_all(self) -> None:
        """The request is complete: from here on the engine works."""
        if self._works and self._request is None:
            self._open()

    def answers(self, head: Head) -> None:
        """The head of the final answer."""
        if self.method != "POST":
            return
        self.asked_all()
        if head.status != 200:
            return
        kind = head.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind == b"text/event-stream":
            self._read = self._read_events
        elif kind in {b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/json-lines"}:
            self._read = self._lines.feed
        elif kind == b"application/json":
            self._read = self._gather
        if self._read is not None:
            try:
                self._unpacker = Unpacker(head.headers.get(b"content-encoding", b""))
            except PackedOtherwise:
                self._off()

    def body(self, data: bytes) -> None:
        """Part of the answer's body."""
        if self._read is None or self._unpacker is None:
            return
        try:
            for found in self._read(self._unpacker.feed(data)):
                if found.startswith(b"{"):
                    self._count(tell(found))
        except Exception:  # noqa: BLE001  # a body that cannot be read, or an error of ours: it is not counted on
            self._off()

    def end(self, *, complete: bool) -> None:
        """The answer is complete, or somebody has gone."""
        if complete and self._read is not None:
            try:
                for found in self._rest():
                    if found.startswith(b"{"):
                        self._count(tell(found))
            except Exception:  # noqa: BLE001  # as above
                self._off()
        if self._request is not None:
            if self._prompt is not None:
                self._request.exact(prompt=self._prompt)
            self._request.end()
            self._request = None
        if self._generated is not None and not self.is_off:
            self._pace.learn(self._pieces, self._generated)
        self._off()

    def _off(self) -> None:
        """No more is read; what was counted stays."""
        self.is_off = True
        self._read = None
        self._unpacker = None
        self._lines, self._events, self._document = Lines(), Events(), bytearray()

    def _open(self) -> Request:
        if self._request is None:
            model, self._name = self._name.found, ModelName()
            self._request = self._begin(model)
            self._pace = self._paces.setdefault(f"{self._path} {model}", self._pace)
        return self._request

    def _read_events(self, data: bytes) -> Iterator[bytes]:
        for line in self._lines.feed(data):
            read = progress(line)
            if read is not None:
                self._count(Told(read=read[0], prompt=read[1]))
            found = self._events.take(line)
            if found is not None:
                yield found

    def _gather(self, data: bytes) -> Iterator[bytes]:
        self._document += data
        if len(self._document) > LARGEST_DOCUMENT:
            self._off()
        yield from ()

    def _rest(self) -> Iterator[bytes]:
        """What the end of the body completes."""
        if self._read == self._gather:
            if self._document.lstrip().startswith(b"{"):
                told = tell(bytes(self._document))
                told.pieces = 0  # it came as a whole: it tells no times
                self._count(told, whole=True)
            return
        for line in (*self._lines.end(), b""):
            found = line if self._read == self._lines.feed else self._events.take(line)
            if found:
                yield found

    def _count(self, told: Told, *, whole: bool = False) -> None:
        """Moves the counts to what was told."""
        if not (told.pieces or told.read is not None or told.generated is not None or told.prompt is not None):
            return
        request = self._open()
        if told.read is not None:
            request.prompt(told.prompt or told.read, told.cached or 0)
            request.prefilled(told.read)
            return
        if told.pieces:
            before = ceil(self._pieces * self._pace.tokens)
            self._pieces += told.pieces
            request.tokens(ceil(self._pieces * self._pace.tokens) - before, estimated=True)
            if told.cached is None and told.prompt is not None:  # whether some was cached may yet be told
                self._prompt, told.prompt = told.prompt, None
        final = told.generated if told.ends else None
        if not final and self._pieces:  # servers that do not count say 0
            final = None
        if told.prompt is not None and request.prefilling and not final and not whole:
            request.prompt(told.prompt, told.cached or 0)
        elif told.prompt is not None or final is not None:
            self._generated = final
            request.exact(final, told.prompt, told.cached)
            self._prompt = self._prompt if told.prompt is None else None
        if told.drafted is not None:
            accepted = told.accepted or 0
            request.drafted(drafted=told.drafted - self._drafted, accepted=accepted - self._accepted)
            self._drafted, self._accepted = told.drafted, accepted

"""One generation, as the program that runs it tells of it."""

from collections.abc import Iterable, Iterator
from operator import index
from types import TracebackType
from typing import Self, SupportsIndex, TypeVar

from ..publish.request import Request
from .switch import SWITCH, harmless

_T = TypeVar("_T")


class Generation:
    """What `hook.generation(…)` gives: `with` it around one call of the engine. Any thread may tell it something.

    None of its methods raises. Counts may be whole numbers of any kind (numpy's, torch's).
    """

    __slots__ = ("_request",)

    def __init__(self, request: Request | None) -> None:
        """Of a request that counts; None where the hook is off, and then nothing does."""
        self._request = request

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def counting(self) -> bool:
        """Whether anything counts here: the hook may be off."""
        return self._request is not None and SWITCH.on

    def token(self) -> None:
        """One token has come just now."""
        if self._request is not None and SWITCH.on:
            try:
                self._request.tokens()
            except Exception as error:  # noqa: BLE001  # whatever it is, it is not the user's
                SWITCH.off(error)

    def tokens(self, count: SupportsIndex, *, estimated: bool = False) -> None:
        """So many tokens have come just now, over all sequences of the batch.

        Args:
            count: of tokens.
            estimated: whether that is a guess, as when a piece of text is taken for a token: the monitor shows "~".
        """
        if self._request is not None and SWITCH.on:
            try:
                self._request.tokens(index(count), estimated=estimated)
            except Exception as error:  # noqa: BLE001
                SWITCH.off(error)

    @harmless
    def generated(self, count: SupportsIndex, *, estimated: bool = False) -> None:
        """So many tokens have come since the beginning: for engines that tell the sum."""
        if self._request is not None:
            self._request.generated(index(count), estimated=estimated)

    @harmless
    def prompt(self, count: SupportsIndex, cached: SupportsIndex = 0) -> None:
        """How many tokens the prompts have together, and how many of them the engine had in its cache."""
        if self._request is not None:
            self._request.prompt(index(count), index(cached))

    @harmless
    def prefilled(self, count: SupportsIndex) -> None:
        """So many tokens of the prompt are read by now, where the engine tells of its progress."""
        if self._request is not None:
            self._request.prefilled(index(count))

    @harmless
    def batch(self, sequences: SupportsIndex) -> None:
        """How many sequences are generated together, where it is not known from the start."""
        if self._request is not None:
            self._request.batch(index(sequences))

    @harmless
    def ended(self, sequences: SupportsIndex = 1) -> None:
        """So many sequences of the batch are complete while others go on. The last one ends with the `with`."""
        if self._request is not None:
            self._request.stream_ended(min(index(sequences), self._request.streams - 1))

    @harmless
    def drafted(self, drafts: SupportsIndex = 0, drafted: SupportsIndex = 0, accepted: SupportsIndex = 0) -> None:
        """What speculative decoding did since the last time: guesses, tokens in them, and those that were right."""
        if self._request is not None:
            self._request.drafted(index(drafts), index(drafted), index(accepted))

    @harmless
    def exact(
        self,
        generated: SupportsIndex | None = None,
        prompt: SupportsIndex | None = None,
        cached: SupportsIndex | None = None,
    ) -> None:
        """What the engine says of all of it at the end: it replaces what was counted before."""
        if self._request is not None:
            self._request.exact(*(None if count is None else index(count) for count in (generated, prompt, cached)))

    @harmless
    def end(self) -> None:
        """It is over. `with` does this."""
        if self._request is not None:
            self._request.end()

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompts as far as they are known; 0 where they are not."""
        return self._request.prompt_tokens if self._request is not None else 0

    @property
    def sequences(self) -> int:
        """Sequences of the batch that go on."""
        return self._request.streams if self._request is not None else 0

    def each(self, tokens: Iterable[_T]) -> Iterator[_T]:
        """The same items, each counted as a token when it comes: for engines that give an iterator of tokens."""
        for item in tokens:
            self.token()
            yield item

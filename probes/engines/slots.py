"""Turns what llama-server says of its slots into counts that only grow.

Facts of `GET /slots`, seen on builds of 2026-10: a busy slot holds `n_prompt_tokens` = prompt + generated
tokens, `next_token[0].n_decoded` generated and `n_remain` still allowed (-1: no limit). When its request ends the
slot keeps its `id_task`, `n_decoded` falls to 0, and `n_prompt_tokens` stays at prompt + generated - 1 (the last token
is never put into the cache), so the tokens made after the last reading can be told exactly. They can not when the next
request has taken the slot already: then they are bounded by `n_remain` and by the slot's own speed.
"""

from msgspec import Struct, field
from msgspec.json import Decoder

SMOOTHING = 0.3
"""Weight of the newest reading in a slot's own speed."""


class NextToken(Struct, frozen=True):
    """Progress of the decoding of one slot."""

    n_decoded: int = 0
    n_remain: int = -1


class Slot(Struct, frozen=True, kw_only=True):
    """One slot, without the text in it: the fields of prompts and answers are skipped, never decoded."""

    id: int
    n_ctx: int = 0
    is_processing: bool = False
    task: int | None = field(default=None, name="id_task")
    tokens: int = field(default=0, name="n_prompt_tokens")
    processed: int = field(default=0, name="n_prompt_tokens_processed")
    cached: int = field(default=0, name="n_prompt_tokens_cache")
    next_token: list[NextToken] | NextToken | None = None
    """A list of one in builds since 2025, a plain object before."""

    @property
    def progress(self) -> NextToken:
        """Where its decoding stands."""
        if isinstance(self.next_token, list):
            return self.next_token[0] if self.next_token else NextToken()
        return self.next_token or NextToken()

    @property
    def prompt(self) -> int:
        """Length of the prompt of a busy slot, in tokens."""
        return max(self.tokens - self.progress.n_decoded, 0)


decode_slots = Decoder(list[Slot]).decode
"""Bytes of `GET /slots` to slots; raises msgspec.DecodeError."""


class _Seen(Struct):
    """The last reading of a slot, and its own speed."""

    slot: Slot
    time: float
    tps: float = 0.0


class SlotLedger:
    """Counts generated and prefilled tokens over all slots, from one reading to the next.

    Work done before the first reading is not counted: it is not known when it was done.
    """

    def __init__(self) -> None:
        self.decoded = 0.0
        self.prefilled = 0.0
        self.unseen = 0
        """Requests whose end, or all of which, fell between the last two readings and cannot be told exactly."""
        self._seen: dict[int, _Seen] = {}

    def read(self, slots: list[Slot], time: float) -> None:
        """Adds what happened since the previous reading. `time` is in monotonic seconds."""
        self.unseen = 0
        first = not self._seen
        for slot in slots:
            seen = self._seen.get(slot.id)
            if seen is None:
                self._seen[slot.id] = _Seen(slot, time)
                if not first:
                    self._begin(slot)
                continue
            self._advance(seen, slot, time)
            seen.slot, seen.time = slot, time

    def _begin(self, slot: Slot) -> None:
        """Counts a request that began after the previous reading."""
        if slot.is_processing:
            self.decoded += slot.progress.n_decoded
            self.prefilled += slot.processed

    def _advance(self, seen: _Seen, slot: Slot, time: float) -> None:
        before = seen.slot
        if slot.task != before.task:
            if before.is_processing:
                self._finish(seen, slot, time)
            self.unseen += before.is_processing or not slot.is_processing
            self._begin(slot)
        elif slot.is_processing:
            made = max(slot.progress.n_decoded - before.progress.n_decoded, 0)
            self.decoded += made
            self.prefilled += max(slot.processed - before.processed, 0)
            elapsed = time - seen.time
            if made and elapsed > 0:
                speed = made / elapsed
                seen.tps = speed if not seen.tps else seen.tps + SMOOTHING * (speed - seen.tps)
        elif before.is_processing:
            self.decoded += max(slot.tokens + 1 - before.tokens, 0)
            self._prefill_rest(before)

    def _finish(self, seen: _Seen, after: Slot, time: float) -> None:
        """Counts the end of a request whose slot has been taken by the next one already."""
        before = seen.slot
        self._prefill_rest(before)
        possible = seen.tps * (time - seen.time) - (after.progress.n_decoded if after.is_processing else 0)
        remain = before.progress.n_remain
        if possible <= 0:
            return
        self.decoded += remain if 0 <= remain <= possible else possible / 2

    def _prefill_rest(self, before: Slot) -> None:
        if before.progress.n_decoded == 0:
            self.prefilled += max(before.prompt - before.cached - before.processed, 0)

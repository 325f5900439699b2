"""One generation under way, of one stream or of a batch of them that run together."""

from time import monotonic

from .counts import Row


class Request:
    """Counts for one call of an engine. It is running from its making until `end`."""

    def __init__(self, row: Row, streams: int = 1) -> None:
        """Begins now: the time to the first token counts from here.

        Args:
            row: where it counts.
            streams: sequences that are generated together: the size of the batch.
        """
        self._row = row
        self._began = monotonic()
        self._first: float | None = None
        self._last = 0.0
        self._batch = streams
        self._estimated = 0
        self._counted_prompt = 0
        self._counted_computed = 0
        self.streams = streams
        """Those that go on."""
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.generated_tokens = 0
        with row.lock:
            row.running.add(self)

    @property
    def prefilling(self) -> bool:
        """Whether it has no token yet."""
        return self._first is None

    @property
    def context_tokens(self) -> int:
        """Tokens that its streams hold in the KV cache, as far as the prompt is known."""
        return self.prompt_tokens + self.generated_tokens

    def tokens(self, count: int = 1, *, estimated: bool = False) -> None:
        """So many tokens have come just now, over all streams; the first call ends the prefill."""
        now = monotonic()
        row = self._row
        with row.lock:
            if count <= 0 or not self.streams:
                return
            generation = row.generation_tokens
            if generation.owed:
                generation.add(count)
            else:  # the same, quicker: this is what happens at each token
                generation.total += count
            self.generated_tokens += count
            if estimated:
                self._estimated += count
                row.estimated_tokens += count
            if self._first is None:
                self._first = now
                row.first_token.add((now - self._began) * self.streams, self.streams)
                self._count_prompt()
            else:  # every stream has waited as long as this
                gaps = row.output_token
                gaps.sum += (now - self._last) * self.streams
                gaps.count.add(count)
            self._last = now

    def batch(self, streams: int) -> None:
        """How many sequences are generated together, where it is learnt only now; not after the first token."""
        with self._row.lock:
            if self.streams and self._first is None and streams > 0:
                self.streams = self._batch = streams

    def generated(self, tokens: int, *, estimated: bool = False) -> None:
        """So many tokens have come since the beginning: for engines that tell the sum."""
        with self._row.lock:
            self.tokens(tokens - self.generated_tokens, estimated=estimated)

    def prompt(self, tokens: int, cached: int = 0) -> None:
        """How long the prompts are together, and how much of them the cache held. They count once they are read."""
        with self._row.lock:
            self.prompt_tokens, self.cached_tokens = max(tokens, 0), max(cached, 0)
            if self._first is not None:
                self._count_prompt()

    def prefilled(self, tokens: int) -> None:
        """So many tokens of the prompt, cached ones among them, are read by now: live progress of the prefill."""
        with self._row.lock:
            if tokens > self._counted_prompt and self._first is None:
                self.prompt_tokens = max(self.prompt_tokens, tokens)
                self._count_prompt(tokens)

    def exact(self, generated: int | None = None, prompt: int | None = None, cached: int | None = None) -> None:
        """What the engine says of the whole request, before `end`: it replaces what was counted and estimated."""
        row = self._row
        with row.lock:
            if generated is not None:
                more = max(generated, 0) - self.generated_tokens
                row.generation_tokens.add(more)
                if self._first is not None:
                    row.output_token.count.add(more)
                self.generated_tokens += more
                row.estimated_tokens -= self._estimated
                self._estimated = 0
            if prompt is not None:
                self.prompt_tokens = max(prompt, 0)
            if cached is not None:
                self.cached_tokens = max(cached, 0)
            if prompt is not None or cached is not None:
                self._count_prompt()

    def drafted(self, drafts: int = 0, drafted: int = 0, accepted: int = 0) -> None:
        """Adds what speculative decoding did: guesses, tokens in them, and those of them that were right."""
        row = self._row
        with row.lock:
            row.drafting = True
            row.drafts.add(drafts)
            row.drafted_tokens.add(drafted)
            row.accepted_tokens.add(accepted)

    def stream_ended(self, streams: int = 1) -> None:
        """So many of its streams are complete; the others go on. With the last one, it ends."""
        with self._row.lock:
            if self.streams > streams > 0:
                self.streams -= streams
                self._row.requests.add(streams)
            elif streams > 0:
                self.end()

    def end(self) -> None:
        """All streams are complete, or given up. Nothing counts for it any more; a second call does nothing."""
        row = self._row
        with row.lock:
            if not self.streams:
                return
            row.running.discard(self)
            row.requests.add(self.streams)
            self.streams = 0
            steps = self.generated_tokens / self._batch - 1
            if self._first is not None and steps > 0:
                row.request_output_token.add((self._last - self._first) / steps * self._batch, self._batch)

    def _count_prompt(self, prompt: int | None = None) -> None:
        """Brings the counts of the row to the prompt as it is known, or to this part of it."""
        prompt = self.prompt_tokens if prompt is None else prompt
        computed = prompt - min(self.cached_tokens, prompt)
        self._row.prompt_tokens.add(prompt - self._counted_prompt)
        self._row.computed_tokens.add(computed - self._counted_computed)
        self._counted_prompt, self._counted_computed = prompt, computed

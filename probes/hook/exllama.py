"""ExLlamaV2 and ExLlamaV3: the results of their dynamic generators, which work at many jobs at once.

`iterate()` gives dictionaries (exllamav2/generator/dynamic.py, exllamav3/generator/job.py): "stage" is "started",
"prefill" (with "curr_progress") or "streaming" (with "token_ids" of shape (1, n)); with "eos" come the sums.
"""

import weakref
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from .generation import Generation
from .process import generation
from .switch import harmless

PAGE_TOKENS = 256
"""Tokens in a page of the cache (PAGED_PAGE_SIZE, PAGE_SIZE in both)."""
_L = TypeVar("_L", bound=Iterable[Mapping[str, Any]])


class Jobs:
    """All jobs of one generator. Each of them is a generation of its own, which begins and ends by itself."""

    def __init__(self, *, engine: str, model: str = "", quantization: str = "") -> None:
        """Nothing runs yet.

        Args:
            engine: "exllamav2" or "exllamav3".
            model: the folder of the weights, or a name.
            quantization: as people write it: "4.0bpw".
        """
        self._engine = engine
        self._model = model
        self._quantization = quantization
        self._running: dict[object, Generation] = {}
        self._jobs: dict[object, weakref.ref[Any]] = {}
        self._requeued: set[object] = set()

    def results(self, results: _L) -> _L:
        """The same results: put it around each `generator.iterate()`."""
        self._count(results)
        return results

    @harmless
    def _count(self, results: Iterable[Mapping[str, Any]]) -> None:
        for result in results:
            serial = result["serial"]
            seen = self._running.get(serial)
            if seen is None:
                seen = self._running[serial] = generation(
                    engine=self._engine, model=self._model, quantization=self._quantization
                )
            self._watch(serial, result.get("job"))
            if result["stage"] == "prefill":
                if serial not in self._requeued:
                    self._prefill(seen, result)
            elif "token_ids" in result:
                seen.tokens(result["token_ids"].shape[-1])
            if result.get("requeue"):
                self._requeued.add(serial)
            if result["eos"]:
                self._end(serial, seen, result)

    def _prefill(self, seen: Generation, result: Mapping[str, Any]) -> None:
        """The progress begins with what was cached, which the job knows before its last result tells it."""
        job = result.get("job")
        cached = getattr(job, "cached_pages", 0) * PAGE_TOKENS + getattr(job, "cached_tokens", 0)
        seen.prompt(result["max_progress"] + 1, cached)
        seen.prefilled(result["curr_progress"])

    def _end(self, serial: object, seen: Generation, result: Mapping[str, Any]) -> None:
        """Takes the sums: those of the prompt not where a job went on, with what it had generated as its prompt."""
        accepted, rejected = result.get("accepted_draft_tokens"), result.get("rejected_draft_tokens")
        if accepted is not None and rejected is not None:
            seen.drafted(drafted=accepted + rejected, accepted=accepted)
        if serial in self._requeued:
            seen.exact(result.get("new_tokens"))
        else:
            seen.exact(result.get("new_tokens"), result.get("prompt_tokens"), result.get("cached_tokens"))
        self._gone(serial)

    def _watch(self, serial: object, job: object) -> None:
        """Ends the generation of a job that is cancelled: the program lets go of it, and no result tells."""
        if job is not None and serial not in self._jobs:
            self._jobs[serial] = weakref.ref(job, partial(self._collected, serial))

    def _collected(self, serial: object, job: "weakref.ref[Any]") -> None:
        if self._jobs.get(serial) is job:
            self._gone(serial)

    def _gone(self, serial: object) -> None:
        self._jobs.pop(serial, None)
        self._requeued.discard(serial)
        seen = self._running.pop(serial, None)
        if seen is not None:
            seen.end()

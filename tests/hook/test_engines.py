"""What the adapters make of what engines call them with.

The shapes are recorded from the libraries' sources and real runs, and stand in for them where they need a GPU:
exllamav2 0.3.2 (generator/dynamic.py), exllamav3 (generator/job.py), DeepSpeed-MII 0.3 (batching/data_classes.py),
mlx-lm 0.32.2 (GenerationResponse), llama-cpp-python 0.3.36 (llama.py), transformers 5.19 (generation/streamers.py),
ctranslate2 4.8.5 (GenerationStepResult).
"""

import gc
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from llmtop import hook

from .conftest import Seen


def step(batch: int = 0, *, last: bool = False) -> SimpleNamespace:
    return SimpleNamespace(step=0, batch_id=batch, hypothesis_id=0, token="x", token_id=7, is_last=last, log_prob=None)


def test_ctranslate2_keeps_the_users_answer(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="ctranslate2", model=model) as seen:
        plain = hook.ctranslate2.callback(seen)
        own = hook.ctranslate2.callback(seen, lambda result: result.token_id == 7)
        assert plain and own
        assert plain(step()) is False
        assert own(step()) is True
        with pytest.raises(ZeroDivisionError):
            hook.ctranslate2.callback(seen, lambda _: 1 / 0)(step())  # type: ignore[misc]  # the user's own trouble
        assert seen.counting
    assert seen_of("generation_tokens_total") == 3


def test_ctranslate2_batch_ends_row_by_row(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="ctranslate2", model=model, streams=2) as seen:
        results = [step(0), step(1), step(0, last=True), step(1), step(1, last=True)]
        for expected, result in zip((2, 2, 1, 1, 1), hook.ctranslate2.steps(seen, results), strict=True):
            del result
            assert seen_of("requests_running") == expected
    assert (seen_of("generation_tokens_total"), seen_of("requests_total")) == (5, 2)


def test_ctranslate2_batch_whose_size_was_not_told_loses_no_token(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="ctranslate2", model=model) as seen:
        list(hook.ctranslate2.steps(seen, [step(0, last=True), step(1), step(1, last=True)]))
    assert (seen_of("generation_tokens_total"), seen_of("requests_total")) == (3, 1)


def test_transformers_streamer_of_one_sequence(model: str, seen_of: Seen) -> None:
    got: list[Any] = []
    own = SimpleNamespace(put=got.append, end=lambda: got.append("end"))
    with hook.generation(engine="transformers", model=model) as seen:
        streamer = hook.transformers.Streamer(seen, own)
        pieces = [np.arange(9).reshape(1, 9), np.array([4]), np.array([[5, 6, 7]])]  # the last: assisted
        for piece in pieces:
            streamer.put(piece)
        streamer.end()
    assert got[:3] == pieces and got[3] == "end"
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (9, 4)
    assert seen_of("estimated_tokens") == 0


def test_transformers_streamer_of_a_batch_leaves_padding_out(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="transformers", model=model) as seen:
        streamer = hook.transformers.Streamer(seen, end=[2, 3])
        for piece in (np.ones((3, 5)), np.array([7, 2, 7]), np.array([7, 0, 3]), np.array([7, 2, 2])):
            streamer.put(piece)
    assert seen_of("generation_tokens_total") == 3 + 2 + 1
    assert (seen_of("estimated_tokens"), seen_of("requests_total")) == (0, 3)


def test_transformers_batch_without_its_end_is_an_estimate(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="transformers", model=model) as seen:
        streamer = hook.transformers.Streamer(seen)
        for piece in (np.ones((1, 5)), np.array([7, 2, 7]), np.array([7, 0, 3])):  # three answers to one prompt
            streamer.put(piece)
    assert (seen_of("generation_tokens_total"), seen_of("estimated_tokens")) == (6, 6)
    assert seen_of("requests_total") == 3


def test_transformers_criterion_counts_by_length(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="transformers", model=model) as seen:
        criterion = hook.transformers.Criterion(seen)
        assert [criterion(np.ones((1, length)), None) for length in (11, 12, 15)] == [False] * 3
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (10, 5)


def test_transformers_criterion_counts_answers_not_beams(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="transformers", model=model) as seen:
        criterion = hook.transformers.Criterion(seen, sequences=2)
        for length in (11, 12, 13):
            criterion(np.ones((16, length)), None)
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (20, 6)
    assert (seen_of("estimated_tokens"), seen_of("requests_total")) == (6, 2)


def test_mlx_lm_repeats_its_last_sum(model: str, seen_of: Seen) -> None:
    def response(count: int, reason: str | None = None) -> SimpleNamespace:
        return SimpleNamespace(
            text="x", token=5, from_draft=False, prompt_tokens=300, generation_tokens=count, finish_reason=reason
        )

    heard: list[tuple[int, int]] = []
    stream = [response(1), response(2), response(3), response(3, "length")]
    with hook.generation(engine="mlx-lm", model=model) as seen:
        progress = hook.mlx_lm.progress(seen, lambda done, whole: heard.append((done, whole)))
        progress(0, 300)
        progress(256, 300)
        assert (seen_of("prompt_tokens_total"), seen_of("prefilling")) == (256, 1)
        assert list(hook.mlx_lm.responses(seen, stream)) == stream
    assert heard == [(0, 300), (256, 300)]
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (300, 3)


def test_llama_cpp_criterion_is_asked_once_more_at_the_end(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="llama-cpp-python", model=model) as seen:
        criterion = hook.llama_cpp.Criterion(seen, lambda ids, _: len(ids) > 13)
        asked = [criterion(np.zeros(length, dtype=np.intc), None) for length in (10, 11, 12, 13, 14, 14)]
    assert asked == [False, False, False, False, True, True]
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (10, 5)


def test_llama_cpp_chunks_are_about_tokens(model: str, seen_of: Seen) -> None:
    stream: list[dict[str, Any]] = [
        {"choices": [{"delta": {"role": "assistant"}, "index": 0}]},
        {"choices": [{"delta": {"content": "one"}, "index": 0}]},
        {"choices": [{"delta": {"content": ""}, "index": 0}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [{"text": "two", "finish_reason": None}]},
        {"choices": []},
        {"unheard": "of"},
    ]
    with hook.generation(engine="llama-cpp-python", model=model) as seen:
        assert list(hook.llama_cpp.chunks(seen, iter(stream))) == stream
    assert (seen_of("generation_tokens_total"), seen_of("estimated_tokens")) == (2, 2)


@dataclass
class Response:
    """As mii has it; the text is never looked at."""

    generated_text: str
    prompt_length: int
    generated_length: int
    finish_reason: str = "length"


def test_mii_counts_at_the_end(model: str, seen_of: Seen) -> None:
    answers = [Response("a", 10, 30), Response("b", 11, 40)]
    with hook.generation(engine="deepspeed-mii", model=model) as seen:
        assert hook.mii.responses(seen, answers) is answers
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (21, 70)
    assert seen_of("requests_total") == 2
    assert seen_of("time_to_first_token_seconds_count") == 0


def test_mii_stream_counts_as_it_comes(model: str, seen_of: Seen) -> None:
    heard: list[object] = []
    with hook.generation(engine="deepspeed-mii", model=model) as seen:
        callback = hook.mii.callback(seen, heard.append)
        for count in (1, 2, 3):
            callback([Response("x", 10, count)])
            assert seen_of("generation_tokens_total") == count
        callback(Response("x", 10, 4))
    assert len(heard) == 4
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (10, 4)


class Job:
    """A job of a dynamic generator, with what it knows of the cache."""

    def __init__(self, pages: int = 0, tokens: int = 0) -> None:
        self.cached_pages, self.cached_tokens = pages, tokens


def made(serial: int, job: Job, stage: str, *, eos: bool = False, **more: object) -> dict[str, Any]:
    return {"job": job, "stage": stage, "eos": eos, "serial": serial, **more}


def test_exllama_jobs_run_beside_each_other(model: str, seen_of: Seen) -> None:
    one, two = Job(pages=1, tokens=44), Job()
    jobs = hook.exllama.Jobs(engine="exllamav2", model=model)
    jobs.results([made(1, one, "started"), made(2, two, "started")])
    assert (seen_of("requests_running"), seen_of("prefilling")) == (2, 2)
    jobs.results([made(1, one, "prefill", curr_progress=300, max_progress=699)])
    assert (seen_of("prompt_tokens_total"), seen_of("cached_tokens_total")) == (300, 300)
    jobs.results([made(1, one, "prefill", curr_progress=699, max_progress=699)])
    results = [
        made(1, one, "streaming", text="ab", token_ids=np.ones((1, 2))),
        made(1, one, "streaming"),  # held back
        made(2, two, "prefill", curr_progress=40, max_progress=40),
    ]
    assert jobs.results(results) is results
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (740, 2)
    end = {"new_tokens": 5, "prompt_tokens": 700, "cached_tokens": 300}
    jobs.results(
        [
            made(1, one, "streaming", eos=True, accepted_draft_tokens=2, rejected_draft_tokens=4, **end),
            made(2, two, "streaming", token_ids=np.ones((1, 1))),
        ]
    )
    assert (seen_of("requests_running"), seen_of("requests_total")) == (1, 1)
    assert (seen_of("generation_tokens_total"), seen_of("cached_tokens_total")) == (6, 300)
    assert (seen_of("drafted_tokens_total"), seen_of("accepted_tokens_total")) == (6, 2)
    jobs.results([made(2, two, "streaming", eos=True, new_tokens=1, prompt_tokens=41, cached_tokens=0)])
    assert (seen_of("prompt_tokens_total"), seen_of("requests_running")) == (741, 0)


def test_exllama_job_that_is_cancelled_ends_when_it_is_let_go(model: str, seen_of: Seen) -> None:
    job = Job()
    jobs = hook.exllama.Jobs(engine="exllamav3", model=model)
    jobs.results([made(1, job, "streaming", token_ids=np.ones((1, 1)))])
    assert seen_of("requests_running") == 1
    del job
    gc.collect()
    assert (seen_of("requests_running"), seen_of("requests_total")) == (0, 1)


def test_exllama_job_that_is_queued_again_has_one_prompt(model: str, seen_of: Seen) -> None:
    """exllamav3 goes on with what it has generated as its prompt, under the old number."""
    job = Job()
    jobs = hook.exllama.Jobs(engine="exllamav3", model=model)
    jobs.results([made(1, job, "prefill", curr_progress=9, max_progress=9)])
    jobs.results([made(1, job, "streaming", token_ids=np.ones((1, 100)), requeue=True)])
    jobs.results([made(1, job, "started"), made(1, job, "prefill", curr_progress=109, max_progress=109)])
    jobs.results([made(1, job, "streaming", eos=True, new_tokens=150, prompt_tokens=110, cached_tokens=0)])
    assert (seen_of("prompt_tokens_total"), seen_of("generation_tokens_total")) == (10, 150)
    assert seen_of("requests_total") == 1

"""Counts: they never fall, are exact in the end, and lose nothing between threads."""

import time
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.publish.counts import MOST_ROWS, Count, Counts, Row
from llmtop.probes.publish.request import Request


@pytest.fixture
def row() -> Row:
    return Counts().row("LM Studio", "small", "http://127.0.0.1:1234")


def test_an_estimate_that_was_too_high_is_paid_by_later_tokens(row: Row) -> None:
    first = Request(row)
    first.tokens(10, estimated=True)
    first.exact(generated=7)
    first.end()
    assert row.generation_tokens.total == 10
    second = Request(row)
    second.tokens(2)
    assert row.generation_tokens.total == 10
    second.tokens(4)
    assert row.generation_tokens.total == 7 + 6
    assert row.estimated_tokens == 0


def test_an_estimate_that_was_too_low_is_made_up_for(row: Row) -> None:
    request = Request(row)
    request.tokens(10, estimated=True)
    assert row.estimated_tokens == 10
    request.exact(generated=25)
    assert (row.generation_tokens.total, row.estimated_tokens) == (25, 0)


def test_estimates_of_a_request_that_ends_without_a_sum_stay_estimates(row: Row) -> None:
    request = Request(row)
    request.tokens(3, estimated=True)
    request.tokens(2)
    request.end()
    assert (row.generation_tokens.total, row.estimated_tokens) == (5, 3)


@given(st.lists(st.integers(-50, 50), max_size=40))
def test_a_count_never_falls_and_comes_out_right_once_it_can(steps: list[int]) -> None:
    count, before, truth = Count(), 0, 0
    for step in steps:
        count.add(step)
        truth += step
        assert count.total >= max(before, truth)
        assert count.total - count.owed == truth
        before = count.total


def test_a_prompt_counts_when_it_has_been_read(row: Row) -> None:
    request = Request(row)
    request.prompt(100, cached=40)
    assert (row.prompt_tokens.total, row.cached_tokens(), request.context_tokens) == (0, 0, 100)
    request.tokens()
    assert (row.prompt_tokens.total, row.cached_tokens()) == (100, 40)
    request.end()


def test_a_request_that_is_given_up_in_its_prefill_has_read_nothing(row: Row) -> None:
    request = Request(row)
    request.prompt(100)
    request.end()
    assert (row.prompt_tokens.total, row.requests.total, row.first_token.count.total) == (0, 1, 0)


def test_progress_of_a_prefill_moves_the_count(row: Row) -> None:
    request = Request(row)
    request.prompt(100, cached=20)
    for progress, read, cached in ((20, 20, 20), (60, 60, 20), (50, 60, 20), (100, 100, 20)):
        request.prefilled(progress)
        assert (row.prompt_tokens.total, row.cached_tokens()) == (read, cached)
    request.tokens()
    assert row.prompt_tokens.total == 100


def test_what_was_computed_never_falls_where_the_cache_is_told_late(row: Row) -> None:
    first = Request(row)
    first.prefilled(100)
    first.tokens()
    first.exact(prompt=100, cached=80)
    assert row.prompt_tokens.total - row.cached_tokens() == 100
    second = Request(row)
    second.prompt(90)
    second.tokens()
    assert row.prompt_tokens.total - row.cached_tokens() == 20 + 90
    assert row.cached_tokens() == 80


def test_an_answer_that_comes_as_a_whole_claims_no_times(row: Row) -> None:
    request = Request(row)
    request.exact(generated=50, prompt=10)
    request.end()
    assert (row.generation_tokens.total, row.prompt_tokens.total) == (50, 10)
    assert row.first_token.count.total == row.output_token.count.total == row.request_output_token.count.total == 0


def test_times_of_one_stream(row: Row) -> None:
    begin = time.monotonic()
    request = Request(row)
    time.sleep(0.05)
    request.tokens()
    for _ in range(5):
        time.sleep(0.01)
        request.tokens()
    request.end()
    took = time.monotonic() - begin
    assert row.first_token.count.total == 1
    assert row.output_token.count.total == 5
    assert 0.05 <= row.first_token.sum < took
    assert 0.05 <= row.output_token.sum < took
    assert row.first_token.sum + row.output_token.sum == pytest.approx(took, abs=0.02)
    assert row.request_output_token.sum == pytest.approx(row.output_token.sum / 5)
    assert row.request_output_token.count.total == 1


def test_times_of_a_batch_are_those_that_each_of_its_streams_waits(row: Row) -> None:
    request = Request(row, streams=4)
    for _ in range(6):
        time.sleep(0.01)
        request.tokens(4)
    request.end()
    assert row.first_token.count.total == 4
    assert row.output_token.count.total == 20
    assert 0.01 <= row.output_token.sum / row.output_token.count.total < 0.03
    assert row.requests.total == 4


def test_streams_of_a_batch_end_one_by_one(row: Row) -> None:
    request = Request(row, streams=3)
    request.tokens(3)
    request.stream_ended()
    assert (request.streams, row.requests.total, len(row.under_way())) == (2, 1, 1)
    request.stream_ended(2)
    assert (request.streams, row.requests.total, len(row.under_way())) == (0, 3, 0)
    request.tokens()
    request.end()
    assert (row.generation_tokens.total, row.requests.total) == (3, 3)


def test_nothing_is_lost_between_threads(row: Row) -> None:
    """Several threads at one request, others at their own; requests begin and end all the time."""
    shared = Request(row)

    def run() -> None:
        for _ in range(200):
            own = Request(row)
            own.prompt(3)
            for _ in range(10):
                own.tokens()
                shared.tokens()
            own.end()

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared.end()
    assert row.generation_tokens.total == 8 * 200 * 20
    assert row.prompt_tokens.total == 8 * 200 * 3
    assert row.requests.total == 8 * 200 + 1
    assert row.under_way() == ()


def test_names_that_clients_invent_do_not_make_rows_without_an_end() -> None:
    counts = Counts()
    rows = {counts.row("proxy", f"model {number}").key for number in range(MOST_ROWS + 50)}
    assert len(rows) == MOST_ROWS + 1
    assert counts.row("proxy", "model 1").key.model == "model 1"
    assert counts.row("proxy", "another").key.model == ""

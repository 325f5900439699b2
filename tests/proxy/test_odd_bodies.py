"""What is not counted passes all the same."""

import gzip

import pytest
from llmtop.probes.proxy.packing import MOST_AT_ONCE, PackedOtherwise, Unpacker

from .passing import head, pass_through
from .running import Running


def none_counted(proxy: Running) -> None:
    assert proxy.row.generation_tokens.total == 0
    assert proxy.row.requests.total == 1
    assert not proxy.row.under_way()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_other_packings_pass_uncounted(encoding: str) -> None:
    pass_through(
        "/v1/chat/completions", head("text/event-stream", Content_Encoding=encoding), b"\xff" * 99, check=none_counted
    )


def test_a_bomb_passes_uncounted() -> None:
    bomb = gzip.compress(b"data: " + bytes(64 << 20))
    pass_through("/v1/chat/completions", head("text/event-stream", Content_Encoding="gzip"), bomb, check=none_counted)


def test_malformed_events_end_the_counting_and_pass() -> None:
    good = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'

    def check(proxy: Running) -> None:
        assert proxy.row.generation_tokens.total == 2
        assert not proxy.row.under_way()

    pass_through(
        "/v1/chat/completions", head("text/event-stream"), good * 2, b'data: {"choices":[{\n\n', good, check=check
    )


@pytest.mark.parametrize("body", [
    b"data: [1]\n\ndata: hello\n\ndata:\n\n: comment\n\nid: 3\nretry: 5\n\nnonsense\n\n",
    b'data: {"choices":"none"}\n\ndata: {"usage":[]}\n\ndata: {"done":"yes"}\n\ndata: {}\n\n',
    b'data: {"choices":[],"usage":{"completion_tokens":-5}}\n\n',
    b"\xff\xfe\x00\r\r\n\n",
    b"data: " + b"[" * 5000 + b"\n\n",
    b'data: {"a":' + b"[" * 5000 + b"\n\n",
])  # fmt: skip
def test_what_is_not_understood_counts_nothing(body: bytes) -> None:
    pass_through("/v1/chat/completions", head("text/event-stream"), body, check=none_counted)


def test_a_line_that_is_too_long_is_left_out_and_the_next_one_counts() -> None:
    long = b'data: {"choices":[{"delta":{"content":"' + b"x" * (3 << 20) + b'"}}]}\n\n'
    good = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'

    def check(proxy: Running) -> None:
        assert proxy.row.generation_tokens.total == 1

    pass_through("/v1/chat/completions", head("text/event-stream"), long, good, check=check)


def test_one_event_over_several_data_lines_is_one() -> None:
    body = b'event: x\r\ndata: {"choices":[{"delta":\r\ndata: {"content":"x"}}]}\r\n\r\n'

    def check(proxy: Running) -> None:
        assert proxy.row.generation_tokens.total == 1

    pass_through("/v1/chat/completions", head("text/event-stream"), body, check=check)


@pytest.mark.parametrize(("status", "kind"), [("404 Not Found", "application/json"), ("200 OK", "text/html")])
def test_errors_and_pages_hold_no_tokens(status: str, kind: str) -> None:
    body = b'{"usage":{"completion_tokens":5}}'
    answer = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode() + body
    pass_through("/v1/chat/completions", answer, check=none_counted)


def test_questions_that_make_no_engine_work_have_no_row() -> None:
    body = b'{"object":"list","data":[{"id":"a","owned_by":"me"}]}'
    pass_through(
        "/v1/messages/count_tokens",
        head("application/json") + body,
        check=lambda proxy: pytest.fail("a row") if proxy.publisher.counts.rows() else None,
    )


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(PackedOtherwise):
        Unpacker(b"gzip").feed(gzip.compress(bytes(MOST_AT_ONCE + 1)))

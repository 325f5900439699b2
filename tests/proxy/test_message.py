"""Messages are cut where they end, wherever the blocks end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.proxy.lines import LONGEST_LINE, Events, Lines
from llmtop.probes.proxy.message import LARGEST_HEAD, Messages, NotHttp, Part

CHUNKED = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n2\r\nab\r\n0\r\nX: 1\r\n\r\n"
LENGTH = b"POST /b HTTP/1.1\r\nContent-Length: 6\r\n\r\n\r\n\r\nxy"
NONE = b"GET /c HTTP/1.1\r\n\r\n"
JAVA = b"POST /d HTTP/1.1\r\nConnection: Upgrade\r\nupgrade: h2c\r\nContent-Length: 4\r\n\r\nGET "
STREAM = CHUNKED + LENGTH + NONE + JAVA + CHUNKED + NONE + b"\r\n" + LENGTH


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % len(data) for place in places}), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.integers(0, len(STREAM) - 1), max_size=30))
def test_requests_in_a_row_are_told_apart_however_they_are_cut(places: list[int]) -> None:
    messages = Messages("request")
    parts: list[Part] = [part for block in cut(STREAM, places) for part in messages.parts(block)]
    assert b"".join(part.raw for part in parts) == STREAM
    assert messages.held == b""
    targets = [part.head.target for part in parts if part.head]
    assert targets == [b"/a", b"/b", b"/c", b"/d", b"/a", b"/c", b"/b"]
    assert sum(part.ended for part in parts) == len(targets)
    ends = [index for index, part in enumerate(parts) if part.ended]
    heads = [index for index, part in enumerate(parts) if part.head]
    assert all(head > end for head, end in zip(heads[1:], ends, strict=False))


@given(st.lists(st.integers(0, 999), max_size=20))
def test_the_body_of_an_answer_is_free_of_its_chunks(places: list[int]) -> None:
    answer = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;a=b\r\n\r\n\r\n!\r\n1\r\n?\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end\r\n\r\n"
    )
    messages = Messages("response")
    parts = [part for block in cut(answer, places) for part in messages.parts(block)]
    assert b"".join(part.body for part in parts) == b"\r\n\r\n!?to the end\r\n\r\n"
    assert [part.head.status for part in parts if part.head] == [100, 200, 200]
    assert messages.ends_with_connection


@given(st.binary(max_size=300), st.lists(st.integers(0, 299), max_size=5))
def test_any_bytes_are_given_out_or_held(data: bytes, places: list[int]) -> None:
    messages = Messages("request")
    out = b""
    for block in cut(data, places) if data else []:
        try:
            for part in messages.parts(block):
                out += part.raw
        except NotHttp:
            rest = messages.held
            assert data.startswith(out + rest)
            return
    assert out + messages.held == data


def test_a_head_without_end_is_not_held_for_ever() -> None:
    messages = Messages("request")
    for _ in range(LARGEST_HEAD // 1000):
        assert list(messages.parts(b"x" * 1000)) == []
    with pytest.raises(NotHttp):
        list(messages.parts(b"x" * 1000))


@given(st.lists(st.sampled_from(["data: a", "data:b", ": c", "event: x", "", ""]), max_size=20), st.data())
def test_events_do_not_depend_on_cuts_or_line_ends(lines: list[str], data: st.DataObject) -> None:
    def events(end: str, places: list[int]) -> list[bytes]:
        whole = (end.join([*lines, "", ""])).encode()
        reader, found = Lines(), Events()
        cuts = [line for block in cut(whole, places) for line in reader.feed(block)] + list(reader.end())
        return [event for line in cuts if (event := found.take(line)) is not None]

    expected = events("\n", [])
    for end in ("\n", "\r\n"):
        assert events(end, data.draw(st.lists(st.integers(0, 999), max_size=10))) == expected


def test_long_lines_are_left_out_and_not_held() -> None:
    reader = Lines()
    found: list[bytes] = []
    for _ in range(40):
        found += reader.feed(b"x" * (LONGEST_LINE // 16))
        assert reader.held_bytes <= LONGEST_LINE
    found += reader.feed(b"\nshort\n")
    assert found == [b"short"]

"""What is counted of answers in all the shapes that engines speak."""

import gc
import gzip
import socket
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from .corpus import chunk
from .passing import head, pass_through, request, wait_until
from .running import Running, proxy_before
from .wire import Await, End, Engine, Pause, Send, Step, play

DATA = Path(__file__).parent.parent / "data"
KINDS = {".sse": "text/event-stream; charset=utf-8", ".ndjson": "application/x-ndjson", ".json": "application/json"}


class Case(NamedTuple):
    """What an answer holds, counted by hand."""

    file: str
    path: str
    generated: int
    prompt: int = 0
    cached: int = 0
    estimated: int = 0


CASES = [
    Case("openai-chat.sse", "/v1/chat/completions", 6, 20, 16),
    Case("openai-chat-no-usage.sse", "/v1/chat/completions", 3, estimated=3),
    Case("openai-tools-and-reasoning.sse", "/v1/chat/completions", 5, estimated=5),
    Case("openai-speculative.sse", "/v1/chat/completions", 30, 5),
    Case("openai-two-choices.sse", "/v1/chat/completions", 8, estimated=8),
    Case("vllm-continuous-usage.sse", "/v1/chat/completions", 10, 9),
    Case("tabbyapi.sse", "/v1/chat/completions", 3, 8),
    Case("openai-responses.sse", "/v1/responses", 5, 11, 8),
    Case("anthropic.sse", "/v1/messages", 7, 112, 100),
    Case("anthropic.json", "/v1/messages", 4, 5),
    Case("llamacpp-completion.sse", "/completion", 5, 12, 8),
    Case("llamacpp-old-chat.sse", "/v1/chat/completions", 5, 12, 8),
    Case("llamacpp-progress.sse", "/v1/chat/completions", 2, 2000, 500),
    Case("ollama-generate.ndjson", "/api/generate", 4, 26),
    Case("ollama-chat-cached.ndjson", "/api/chat", 6),
    Case("lmstudio-v1.sse", "/api/v1/chat", 268, 329),
    Case("lmstudio-v0.sse", "/api/v0/chat/completions", 3, 24),
    Case("koboldcpp-stream.sse", "/api/extra/generate/stream", 3, estimated=3),
    Case("koboldcpp.json", "/api/v1/generate", 3, 9),
    Case("tgi-stream.sse", "/generate_stream", 3, 6),
    Case("tgi.json", "/generate", 2),
    Case("sglang-generate.sse", "/generate", 9, 7, 4),
    Case("triton-generate-stream.sse", "/v2/models/ensemble/generate_stream", 3, estimated=3),
    Case("openai-embeddings.json", "/v1/embeddings", 0, 13),
]
REAL = [
    Case("mlx-lm/real-0.32.2/chat.stream.http", "/v1/chat/completions", 12, 15, 14),
    Case("mlx-lm/real-0.32.2/chat.plain.http", "/v1/chat/completions", 12, 15, 14),
    Case("mlx-lm/real-0.32.2/completion.stream.http", "/v1/completions", 12, 15),
    Case("llama-cpp-python/real-0.3.36/chat.stream.http", "/v1/chat/completions", 12, estimated=12),
    Case("llama-cpp-python/real-0.3.36/completion.stream.http", "/v1/completions", 12, estimated=12),
    Case("llama-cpp-python/real-0.3.36/chat.plain.http", "/v1/chat/completions", 12, 30),
    Case("transformers/real-5.19.0/chat.stream.http", "/v1/chat/completions", 12, 15),
    Case("transformers/real-5.19.0/completion.stream.http", "/v1/completions", 12, 15),
    Case("transformers/real-5.19.0/completion.plain.http", "/v1/completions", 12, 15),
]


def counts(case: Case) -> Callable[[Running], None]:
    def check(proxy: Running) -> None:
        row = proxy.row
        assert (row.key.engine, row.key.model, row.key.upstream) == ("", "asked/for", proxy.proxy.upstream.url)
        found = (row.generation_tokens.total, row.prompt_tokens.total, row.cached_tokens(), row.estimated_tokens)
        assert found == (case.generated, case.prompt, case.cached, case.estimated)
        assert row.requests.total == 1
        assert not row.under_way()
        assert row.first_token.count.total == int(not case.file.endswith((".json", "plain.http")))

    return check


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_each_shape_is_counted(case: Case) -> None:
    body = (DATA / "proxy" / case.file).read_bytes()
    pass_through(case.path, head(KINDS[Path(case.file).suffix]), body, check=counts(case))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_each_shape_is_counted_however_it_is_cut(case: Case) -> None:
    body = (DATA / "proxy" / case.file).read_bytes()
    pieces = [chunk(body[start : start + 37]) for start in range(0, len(body), 37)]
    whole = head(KINDS[Path(case.file).suffix], Transfer_Encoding="chunked") + b"".join(pieces) + b"0\r\n\r\n"
    pass_through(case.path, *(whole[start : start + 101] for start in range(0, len(whole), 101)), check=counts(case))


@pytest.mark.parametrize("case", REAL, ids=lambda case: case.file)
def test_what_real_engines_sent_is_counted(case: Case) -> None:
    pass_through(case.path, (DATA / case.file).read_bytes(), check=counts(case))


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", None)])
def test_packed_streams_are_counted(encoding: str, pack: Callable[[bytes], bytes] | None) -> None:
    case = CASES[0]
    body = (DATA / "proxy" / case.file).read_bytes()
    if pack is None:  # some servers leave the header of zlib out
        raw = zlib.compressobj(wbits=-15)
        packed = raw.compress(body) + raw.flush()
    else:
        packed = pack(body)
    pieces = (packed[:20], packed[20:90], packed[90:])
    pass_through(case.path, head("text/event-stream", Content_Encoding=encoding), *pieces, check=counts(case))


def test_counts_move_while_the_answer_is_written() -> None:
    asked = request("/v1/chat/completions")
    event = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":50,"completion_tokens":6}}\n\n'
    engine = Engine([
        Await(len(asked)), Pause(0.3), Send(head("text/event-stream")), *[Send(event)] * 5, Await(len(asked) + 1),
        Send(usage), Await(len(asked) + 2), End(),
    ])  # fmt: skip
    with proxy_before(engine.url) as proxy:
        sock = socket.create_connection(("127.0.0.1", proxy.port))
        sock.sendall(asked)
        wait_until(lambda: bool(proxy.publisher.counts.rows()))
        row = proxy.row
        (running,) = row.under_way()
        assert running.prefilling
        wait_until(lambda: row.generation_tokens.total == 5)
        assert (row.estimated_tokens, running.prefilling, running.context_tokens) == (5, False, 5)
        assert row.first_token.sum >= 0.3
        sock.sendall(b"!")
        wait_until(lambda: row.generation_tokens.total == 6)
        assert (row.estimated_tokens, running.context_tokens, row.requests.total) == (0, 56, 0)
        sock.sendall(b"!")
        play(sock, [])
        engine.close()
        assert row.requests.total == 1


def test_tokens_in_a_piece_are_learnt_from_the_answers_before() -> None:
    body = (DATA / "proxy" / "openai-speculative.sse").read_bytes()
    asked, answer = request("/v1/chat/completions"), head("text/event-stream", Content_Length=str(len(body))) + body
    answer = answer.replace(b"Connection: close\r\n", b"")
    event = head("text/event-stream") + b'data: {"choices":[{"delta":{"content":"x y z"}}]}\n\n' * 6
    turns = 3
    steps: list[Step] = []
    for turn in range(turns):
        steps += [Await(len(asked) * (turn + 1)), Send(answer)]
    engine = Engine([*steps, Await(len(asked) * (turns + 1)), Send(event), End()])
    with proxy_before(engine.url) as proxy:
        play(
            socket.create_connection(("127.0.0.1", proxy.port)),
            [step for turn in range(turns) for step in (Send(asked), Await(len(answer) * (turn + 1)))] + [Send(asked)],
        )
        engine.close()
        assert proxy.row.generation_tokens.total == 30 * turns + proxy.row.estimated_tokens
        assert 16 <= proxy.row.estimated_tokens <= 18  # 6 pieces of 3 tokens, half of which is believed each time


def test_a_prompt_is_seen_while_it_is_read() -> None:
    asked = request("/v1/chat/completions")
    engine = Engine([
        Await(len(asked)), Send(head("text/event-stream") + b": keepalive 1024/4000\n\n"), Await(len(asked) + 1), End(),
    ])  # fmt: skip
    with proxy_before(engine.url) as proxy:
        sock = socket.create_connection(("127.0.0.1", proxy.port))
        sock.sendall(asked)
        wait_until(lambda: bool(proxy.publisher.counts.rows()) and proxy.row.prompt_tokens.total == 1024)
        (running,) = proxy.row.under_way()
        assert running.prefilling
        sock.sendall(b"!")
        play(sock, [])
        engine.close()


def test_what_follows_the_answer_to_a_head_is_counted() -> None:
    first, second = b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", request("/v1/chat/completions")
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"
    two = head("text/event-stream") + b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    engine = Engine([Await(len(first)), Send(one), Await(len(first + second)), Send(two), End()])
    with proxy_before(engine.url) as proxy:
        play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(first), Await(len(one)), Send(second)])
        engine.close()
        assert proxy.row.generation_tokens.total == 1


def test_no_text_is_kept() -> None:
    secret = "Xyzzyplugh"
    words = "".join(f'data: {{"choices":[{{"delta":{{"content":"{secret}{n}"}}}}]}}\n\n' for n in range(50)).encode()

    def check(proxy: Running) -> None:
        assert proxy.row.generation_tokens.total == 50
        link = next(iter(proxy.proxy.links), None)
        reachable, pending = set[int](), [proxy.proxy, proxy.publisher, link]
        while pending:
            one: object = pending.pop()
            if id(one) in reachable or isinstance(one, type) or type(one).__name__ in {"module", "function", "frame"}:
                continue
            reachable.add(id(one))
            if isinstance(one, str | bytes | bytearray):
                text = one if isinstance(one, str) else bytes(one).decode("latin-1")
                assert secret not in text
            pending += gc.get_referents(one)
        assert len(reachable) > 100

    pass_through("/v1/chat/completions", head("text/event-stream"), words, check=check)

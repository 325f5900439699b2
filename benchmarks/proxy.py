"""What `llmtop proxy` adds to each token, with one stream and with many, and what a large upload takes.

    python benchmarks/proxy.py                  # one stream, 200 streams, 1 GB: two minutes
    python benchmarks/proxy.py --upload-mb 0    # without the upload

A local engine writes events that carry the moment of their writing; clients read them direct and through the proxy, in
turns. The figures are differences of monotonic clocks of one machine: engine, proxy and clients share its cores.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ASKED = b"POST /v1/chat/completions?%d,%d HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n" + b'{"model":"m"}'
BLOCK = bytes(1 << 20)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An engine: so many tokens, so many microseconds apart; or a sink for uploads."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
            left = length
            while left:
                left -= len(await reader.read(min(left, 1 << 18)))
            if b"?" not in head:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                continue
            tokens, gap_us = map(int, head.split(b" ")[1].partition(b"?")[2].split(b","))
            writer.write(HEAD)
            due = time.monotonic()
            for _ in range(tokens):
                due += gap_us / 1e6
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                event = b'data: {"choices":[{"delta":{"content":" word"}}],"t":%d}\n\n' % time.monotonic_ns()
                writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
    writer.close()


async def engine() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def one(port: int, tokens: int, gap_us: int, delay_s: float) -> list[float]:
    """Milliseconds from writing to reading, for each token of a stream."""
    await asyncio.sleep(delay_s)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ASKED % (tokens, gap_us))
    took: list[float] = []
    while len(took) < tokens:
        line = await reader.readline()
        now = time.monotonic_ns()
        if not line:
            raise SystemExit("a stream ended too early")
        if line.startswith(b"data: "):
            took.append((now - int(line.rpartition(b":")[2].rstrip(b"}\n"))) / 1e6)
    writer.close()
    return took


async def streams(port: int, count: int, tokens: int, gap_us: int) -> list[float]:
    """The same for many at once, which begin apart from each other."""
    found = await asyncio.gather(*(one(port, tokens, gap_us, number * gap_us / 1e6 / count) for number in range(count)))
    return [took for each in found for took in each]


def report(name: str, direct: list[float], proxied: list[float]) -> None:
    def row(took: list[float]) -> str:
        return f"median {statistics.median(took):6.3f} ms, p99 {statistics.quantiles(took, n=100)[98]:7.3f} ms"

    added = statistics.median(proxied) - statistics.median(direct)
    print(f"{name}: {len(direct)} tokens each way\n  direct  {row(direct)}\n  proxied {row(proxied)}")
    print(f"  added   median {added:6.3f} ms a token", flush=True)


def upload(port: int, megabytes: int) -> float:
    """Seconds for a body of so many MB."""
    import socket  # noqa: PLC0415

    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (megabytes << 20))
        for _ in range(megabytes):
            sock.sendall(BLOCK)
        if not sock.recv(100).startswith(b"HTTP/1.1 200"):
            raise SystemExit("the upload was not answered")
    return time.monotonic() - began


def memory_mib(pid: int, what: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--role", choices=("engine",), help=argparse.SUPPRESS)
    options.add_argument("--turns", type=int, default=4, help="times that each way is measured")
    options.add_argument("--tokens", type=int, default=250, help="of each stream, each turn")
    options.add_argument("--streams", type=int, default=200)
    options.add_argument("--stream-rate", type=float, default=10.0, help="tokens/s of each of the many streams")
    options.add_argument("--upload-mb", type=int, default=1024)
    asked = options.parse_args()
    if asked.role:
        asyncio.run(engine())
        return
    path = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / ".src"), os.environ.get("PYTHONPATH", "")])}
    with contextlib.ExitStack() as stack:

        def start(*command: str) -> tuple[subprocess.Popen[str], str]:
            process = stack.enter_context(
                subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=path)
            )
            stack.callback(process.kill)
            assert process.stdout
            return process, process.stdout.readline()

        _, line = start(__file__, "--role", "engine")
        direct = int(line)
        proxy, line = start("-m", "llmtop", "proxy", "--upstream", f"http://127.0.0.1:{direct}", "--listen", "0")
        proxied = int(line.split(":")[2].split(",")[0])
        for count, rate in ((1, 50.0), (asked.streams, asked.stream_rate)):
            gap_us = int(1e6 / rate)
            tokens = asked.tokens if count == 1 else max(20, asked.tokens // 5)
            both: dict[int, list[float]] = {direct: [], proxied: []}
            used = 0.0
            for _ in range(asked.turns):
                for port in both:
                    before = cpu_s(proxy.pid)
                    both[port] += asyncio.run(streams(port, count, tokens, gap_us))
                    used += cpu_s(proxy.pid) - before
            report(f"{count} streams, {rate:g} tokens/s each", both[direct], both[proxied])
            print(f"  the proxy took {used / len(both[proxied]) * 1e6:.0f} microseconds of a core a token")
        print(f"memory of the proxy, at most: {memory_mib(proxy.pid, 'VmHWM'):.1f} MiB")
        if asked.upload_mb:
            for name, port in (("direct", direct), ("proxied", proxied)):
                took = upload(port, asked.upload_mb)
                print(f"upload of {asked.upload_mb} MiB {name}: {took:.2f} s, {asked.upload_mb / took:.0f} MiB/s")
            print(f"memory of the proxy, at most: {memory_mib(proxy.pid, 'VmHWM'):.1f} MiB")


if __name__ == "__main__":
    main()

"""A process that starts others and answers as told: `PROGRAM serve PORT TRACE`, where PROGRAM is a link to Python.

It reads one JSON object a line: {"answers": {PATH: BODY}} sets what it answers, {"headers": {…}} its headers,
{"start": [COMMAND]} starts a child, {"end": PID} ends one and buries it. To each it writes a number: a pid, or 0. What
it is asked goes to TRACE.
"""

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

answers: dict[str, str] = {}
headers: dict[str, str] = {}
children: dict[int, "subprocess.Popen[bytes]"] = {}


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with Path(sys.argv[2]).open("a") as trace:
            trace.write(f"{self.command} {self.path}\n")
        body = answers.get(self.path, "404 page not found").encode()
        self.send_response_only(200 if self.path in answers else 404)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_HEAD = do_GET  # noqa: N815  # so the server calls them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # so the server calls it
        ...


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answering)
Thread(target=server.serve_forever, daemon=True).start()
sys.stdout.write("0\n")
sys.stdout.flush()
for line in sys.stdin:
    order = json.loads(line)
    answers.update(order.get("answers", {}))
    headers.update(order.get("headers", {}))
    said = 0
    if "start" in order:
        child = subprocess.Popen(order["start"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        said = child.pid
        children[said] = child
    if "end" in order:
        children[order["end"]].kill()
        children[order["end"]].wait()
    sys.stdout.write(f"{said}\n")
    sys.stdout.flush()
for child in children.values():
    child.kill()

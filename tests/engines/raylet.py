"""A family of processes as Ray has them, by their titles: `raylet FOLDER OPTIONS` starts the others and waits.

It prints their pids by title, and the port of the proxy, as one JSON object.
"""

import json
import subprocess
import sys

LISTEN = """
import socket, sys
place = socket.create_server(("127.0.0.1", 0))
print(place.getsockname()[1], flush=True)
others = socket.create_server(("::", 0), family=socket.AF_INET6)
sys.stdin.read()
"""
WAIT = "import sys; print(0, flush=True); sys.stdin.read()"
TITLES = {
    "ray::ProxyActor": LISTEN,
    "ray::DashboardAgent": WAIT,
    "ray::ServeReplica:default:LLMServer:small": WAIT,
    "ray::IDLE": WAIT,
}

found: dict[str, int] = {}
children: list["subprocess.Popen[str]"] = []
for title, program in TITLES.items():
    child = subprocess.Popen(
        [title, "-c", program], executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    found[title] = child.pid
    said = int(child.stdout.readline())
    if said:
        found["port"] = said
    children.append(child)
sys.stdout.write(f"{json.dumps(found)}\n")
sys.stdout.flush()
sys.stdin.read()
for child in children:
    child.kill()

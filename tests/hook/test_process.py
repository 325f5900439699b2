"""A program with the hook in it: it starts, forks, fails, is switched off, and never notices."""

import json

import pytest

from .conftest import Run

COUNT = """
from urllib.request import urlopen
def count(url, name="generation_tokens_total"):
    text = urlopen(url + "/metrics").read().decode()
    return sum(int(l.rsplit(" ", 1)[1]) for l in text.splitlines() if l.startswith("llmtop_observed_" + name + "{"))
"""


def test_nothing_is_printed_and_nothing_is_left(run: Run) -> None:
    done = run("""
from llmtop import hook
from llmtop.probes.publish.notice import announced
with hook.generation(engine="ctranslate2", model="secret") as seen:
    seen.token()
    assert hook.publish() in {notice.url for notice in announced()}
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("value", ["0", "off", "False", " no "])
def test_the_environment_switches_it_off(run: Run, value: str) -> None:
    done = run(
        """
import threading
from llmtop import hook
with hook.generation(engine="ctranslate2") as seen:
    seen.token(); seen.prompt(3); seen.tokens(2); seen.exact(5); seen.ended(); seen.drafted(1, 2, 3)
    own = lambda result: True
    assert not seen.counting
    assert hook.ctranslate2.callback(seen) is None
    assert hook.ctranslate2.callback(seen, own) is own
    assert list(seen.each([1, 2])) == [1, 2]
assert hook.publish() is None
assert threading.active_count() == 1
""",
        LLMTOP_HOOK=value,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_needs_nothing_but_the_standard_library(run: Run) -> None:
    done = run("""
import sys
from llmtop import hook
with hook.generation(engine="x") as seen:
    seen.token()
known = set(sys.stdlib_module_names) | {"llmtop"}
outside = {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}
print(sorted(name for name in outside - known if not name.startswith(("_", "sitecustomize"))))
""")
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_what_fails_inside_switches_it_off_without_a_word(run: Run) -> None:
    done = run(
        COUNT
        + """
import threading, time
from llmtop import hook
url = hook.publish()
with hook.generation(engine="x") as seen, hook.generation(engine="x") as other:
    seen.token()
    seen.tokens("many")
    assert not seen.counting and not other.counting
    other.token(); other.prompt(object()); other.generated(None)
with hook.generation(engine="x") as later:
    later.token()
    assert not later.counting
assert hook.publish() is None
deadline = time.monotonic() + 10
while threading.active_count() > 1 and time.monotonic() < deadline:
    time.sleep(0.05)
try:
    count(url)
except OSError:
    print("gone")
from llmtop.probes.publish.notice import announced
print(url in {notice.url for notice in announced()})
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "gone\nFalse\n", "")


def test_whoever_debugs_is_told_in_one_line(run: Run) -> None:
    done = run("""
import logging
logging.basicConfig(level=logging.DEBUG)
from llmtop import hook
with hook.generation(engine="x") as seen:
    for _ in range(5):
        seen.tokens("many")
""")
    assert done.stderr.splitlines() == [
        "DEBUG:llmtop.hook:switched off: TypeError: 'str' object cannot be interpreted as an integer"
    ]


@pytest.mark.parametrize(
    "arguments",
    ["engine=7", 'engine="x", model=object()', 'engine="x", streams="two"', 'engine="x", version=3'],
)
def test_wrong_arguments_harm_nobody(run: Run, arguments: str) -> None:
    done = run(f"""
from urllib.request import urlopen
from llmtop import hook
url = hook.publish()
with hook.generation({arguments}) as seen:
    seen.token()
    seen.prompt(3)
print("done")
try:
    urlopen(url + "/metrics").read()
except OSError:
    pass
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_a_taken_port_is_another_port(run: Run) -> None:
    done = run("""
import socket
from llmtop import hook
with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    url = hook.publish(port)
    print(url is not None and not url.endswith(f":{port}"), hook.publish() == url)
""")
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_a_port_that_is_asked_for(run: Run) -> None:
    done = run("""
import socket
from llmtop import hook
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
print(hook.publish(port) == f"http://127.0.0.1:{port}")
""")
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_no_place_for_a_notice_leaves_the_rest(run: Run) -> None:
    done = run("""
from llmtop.probes.publish import publisher
def refuse(url, observer):
    raise PermissionError
publisher.announce = refuse
from llmtop import hook
print(hook.publish() is not None)
""")
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_forked_child_counts_for_itself(run: Run) -> None:
    """The child begins at nothing, on a server of its own; the parent's port is the parent's alone."""
    done = run(
        COUNT
        + """
import json, os, sys
from llmtop import hook
from llmtop.probes.publish.notice import announced
with hook.generation(engine="x", model="m") as seen:
    seen.tokens(100)
    parent = hook.publish()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seen.tokens(1000)                      # the parent's generation: it counts nowhere here
        with hook.generation(engine="x", model="m") as own:
            own.tokens(7)
            url = hook.publish()
            told = {"url": url, "count": count(url), "running": count(url, "requests_running"),
                    "announced": url in {n.url for n in announced() if n.pid == os.getpid()}}
        os.write(writing, json.dumps(told).encode())
        sys.exit(0)
    os.waitpid(child, 0)
    told = json.loads(os.read(reading, 4096))
    told["other"] = told.pop("url") != parent
    told["parent"] = count(parent), parent in {n.url for n in announced()}, len(announced())
    print(json.dumps(told))
"""
    )
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["parent"][:2] == [100, True]  # the child has ended, and taken away its own notice only
    del told["parent"]
    assert told == {"count": 7, "running": 1, "announced": True, "other": True}


def test_a_child_that_lives_on_does_not_keep_the_port(run: Run) -> None:
    done = run("""
import os, socket, sys, time
from urllib.parse import urlsplit
from llmtop import hook
port = urlsplit(hook.publish()).port
reading, writing = os.pipe()
if os.fork():
    os.close(writing)
    sys.exit(0)
os.close(reading)
time.sleep(1)  # the parent has ended by now
with socket.socket() as other:
    other.bind(("127.0.0.1", port))
    other.listen()
print("free")
""")
    assert (done.stdout, done.stderr) == ("free\n", "")


def test_forks_while_threads_count_never_hang(run: Run) -> None:
    """Some of these forks happen while another thread holds a lock of the counts."""
    done = run("""
import os, threading
from llmtop import hook
stopped = threading.Event()
def work():
    while not stopped.is_set():
        with hook.generation(engine="x") as seen:
            for _ in range(20):
                seen.token()
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
with hook.generation(engine="x") as outer:
    for number in range(60):
        child = os.fork()
        if child == 0:
            outer.token()
            with hook.generation(engine="x") as seen:
                seen.token()
            os._exit(0 if seen.counting else 1)
        assert os.waitpid(child, 0)[1] == 0
stopped.set()
print("done")
""")
    assert (done.stdout, done.returncode) == ("done\n", 0)
    assert "Error" not in done.stderr


def test_multiprocessing_both_ways(run: Run) -> None:
    program = """
import multiprocessing
from llmtop import hook
{count}
def work(number):
    with hook.generation(engine="x") as seen:
        seen.tokens(number)
        return count(hook.publish())
if __name__ == "__main__":
    hook.publish()
    with multiprocessing.get_context("{way}").Pool(2) as pool:
        print(sum(pool.map(work, [5, 6], chunksize=1)) >= 11)
"""
    done = run(program.format(count=COUNT, way="fork"))
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_an_interrupt_is_the_users(run: Run) -> None:
    done = run("""
import signal
from llmtop import hook
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    with hook.generation(engine="x") as seen:
        while True:
            seen.token()
except KeyboardInterrupt:
    with hook.generation(engine="x") as seen:
        seen.token()
    print("interrupted", seen.counting)
""")
    assert (done.stdout, done.stderr) == ("interrupted True\n", "")


def test_streams_that_the_garbage_collector_closes_do_not_block(run: Run) -> None:
    """Closing one ends its generation, wherever the collector happens to run: also while a lock is held."""
    done = run("""
import gc
from llmtop import hook
gc.set_threshold(5)
def stream():
    with hook.generation(engine="x", model="m") as seen:
        for token in seen.each(range(100)):
            yield token
for _ in range(3000):
    cycle = [stream()]
    next(cycle[0])
    cycle.append(cycle)
    del cycle
gc.collect()
with hook.generation(engine="x", model="m") as seen:
    print(seen.counting)
""")
    assert (done.stdout, done.stderr) == ("True\n", "")

"""A few clients that keep an engine busy, in a process of their own: `python -m llmtop.tui.demo.load`.

So the CPU time of the monitor's process stays its own.
"""

import argparse
import http.client
import json
import random
import threading
import time
from urllib.parse import urlsplit

from .parent import follow_parent
from .vocabulary import SYLLABLES

_PROMPT = (20, 120)
_ANSWER = (100, 500)
_PAUSE = (1.0, 3.0)
_RETRY = 1.0
_TIMEOUT = 120.0


def main() -> None:
    """Runs the streams until the parent is gone."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", required=True)
    options.add_argument("--streams", type=int, required=True)
    arguments = options.parse_args()
    follow_parent()
    streams = [Stream(arguments.url, seed) for seed in range(arguments.streams)]
    for stream in streams:
        threading.Thread(target=stream.run, name="stream", daemon=True).start()
    threading.Event().wait()


class Stream:
    """One client: a request, a pause, and so on. Equal seeds ask the same things."""

    def __init__(self, url: str, seed: int) -> None:
        parts = urlsplit(url)
        self._site = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._random = random.Random(seed)  # noqa: S311 # prompts, no secrets

    def run(self) -> None:
        """Never returns. An engine that is away is asked again every second."""
        time.sleep(self._random.uniform(0, _PAUSE[0]))
        while True:
            try:
                self.ask()
            except (OSError, http.client.HTTPException):
                time.sleep(_RETRY)
            else:
                time.sleep(self._random.uniform(*_PAUSE))

    def ask(self) -> int:
        """One request. Returns how many events of the answer came.

        Raises:
            OSError: nobody answers, or not in time.
            http.client.HTTPException: no good answer.
        """
        connection = http.client.HTTPConnection(*self._site, timeout=_TIMEOUT)
        try:
            connection.request("POST", "/completion", self.request(), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise http.client.HTTPException(response.status)
            return sum(line.startswith(b"data: ") for line in response)
        finally:
            connection.close()

    def request(self) -> bytes:
        """A body with a prompt of words that mean nothing, about a token each."""
        words = ["".join(self._random.choices(SYLLABLES, k=2)) for _ in range(self._random.randint(*_PROMPT))]
        body = {
            "prompt": " ".join(words),
            "n_predict": self._random.randint(*_ANSWER),
            "ignore_eos": True,
            "cache_prompt": False,
            "stream": True,
        }
        return json.dumps(body).encode()


if __name__ == "__main__":
    main()

"""A simulation: the slots of a llama-server whose speed follows the power limit by a published sweep."""

import random
import threading
import time

from .curve import Curve, Noise
from .gpu import Gpus

TICK_S = 0.02
WRITE_S = 0.1
ANSWER = 512
OWN_PROMPT = 60


class Slot:
    """One place for a request."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.task = -1
        self.busy = False
        self.prompt = self.processed = self.decoded = self.kept = 0
        self.most = ANSWER
        self.part = 0.0

    def begin(self, task: int, prompt: int, most: int) -> None:
        self.task, self.busy, self.prompt, self.processed, self.decoded = task, True, prompt, 0, 0
        self.most, self.part = most, 0.0

    def end(self) -> None:
        """As llama-server does: the tokens stay in the cache but for the last one, and the count falls to 0."""
        self.kept = self.prompt + max(self.decoded - 1, 0)
        self.busy, self.decoded = False, 0


class Serving:
    """Works in a thread of its own: prompts one after the other, then all slots that decode together."""

    def __init__(
        self,
        gpus: Gpus,
        decode: Curve,
        prefill: Curve | None,
        *,
        noise: Noise,
        slots: int,
        load: str,
        own_streams: int,
        scale: float,
        seed: int,
    ) -> None:
        self.changed = threading.Condition()
        self.slots = [Slot(number) for number in range(slots)]
        self.load = load
        """"off", "own" for a load that never ends, "uneven" for one that comes and goes."""
        self.waiting = self.steps = 0
        self.generated = self.read_in = 0
        self._gpus, self._decode, self._prefill, self._noise = gpus, decode, prefill, noise
        self._own_streams, self._scale = own_streams, scale
        self._random = random.Random(seed)
        self._own: set[int] = set()
        self._wave = (0.0, own_streams)
        self._tasks = 0
        threading.Thread(target=self._run, daemon=True).start()

    def take(self, prompt: int, most: int) -> tuple[Slot, int]:
        """Waits for a slot and begins a request in it; returns it with the number of the task."""
        with self.changed:
            self.waiting += 1
            self.changed.wait_for(lambda: any(not slot.busy for slot in self.slots))
            self.waiting -= 1
            slot = next(slot for slot in self.slots if not slot.busy)
            return slot, self._begin(slot, prompt, most)

    def wait(self, slot: Slot, task: int, sent: int) -> int | None:
        """Tokens of a request once there are more than those; None when its slot is another's. Under `changed`."""
        self.changed.wait_for(lambda: slot.task != task or slot.decoded > sent)
        return slot.decoded if slot.task == task else None

    def give_up(self, slot: Slot, task: int) -> None:
        """The client has gone."""
        with self.changed:
            if slot.busy and slot.task == task:
                slot.end()
            self.changed.notify_all()

    def _begin(self, slot: Slot, prompt: int, most: int) -> int:
        self._tasks += 1
        slot.begin(self._tasks, prompt, most)
        return self._tasks

    def _run(self) -> None:
        last = written = time.monotonic()
        while True:
            time.sleep(TICK_S)
            now = time.monotonic()
            with self.changed:
                self._load_itself(now)
                curve = self._work(now, now - last)
                self._load_itself(now)
                self.changed.notify_all()
            self._gpus.run(now, now - last, curve)
            last = now
            if now - written >= WRITE_S:
                written = now
                self._gpus.write(curve)

    def _load_itself(self, now: float) -> None:
        wanted = 0 if self.load == "off" else self._own_streams
        if self.load == "uneven":
            if now >= self._wave[0]:
                self._wave = (now + self._random.uniform(0.5, 3.0), 0 if self._wave[1] else self._own_streams)
            wanted = self._wave[1]
        running = [slot for slot in self.slots if slot.busy and slot.task in self._own]
        for slot in running[wanted:]:
            slot.end()
        for slot in [slot for slot in self.slots if not slot.busy][: max(wanted - len(running), 0)]:
            first = len(self._own) < self._own_streams
            most = self._random.randint(ANSWER // 8, ANSWER) if first else ANSWER
            self._own.add(self._begin(slot, OWN_PROMPT, most))

    def _work(self, now: float, seconds: float) -> Curve | None:
        """Returns by which curve the GPUs worked most."""
        limit_w, factor = min(self._gpus.limits_w()), self._noise.at(now) * self._scale
        prompts = [slot for slot in self.slots if slot.busy and slot.processed < slot.prompt]
        used: Curve | None = None
        if prompts:
            used = self._prefill or self._decode
            speed = used.at(limit_w).tps * factor * (1 if self._prefill else 30)
            whole = seconds
            for slot in prompts:
                slot.part += speed * seconds
                read = min(int(slot.part), slot.prompt - slot.processed)
                slot.part -= read
                slot.processed += read
                self.read_in += read
                seconds -= read / speed
                if slot.processed < slot.prompt:
                    return used
                slot.part = 0.0
            seconds = max(seconds, 0.0)
            used = used if seconds < whole / 2 else None
        writing = [slot for slot in self.slots if slot.busy and slot.processed >= slot.prompt]
        if not writing:
            return used
        together = self._decode.at(limit_w).tps * factor * min(len(writing) / self._decode.streams, 1.0)
        for slot in writing:
            slot.part += together / len(writing) * seconds
            made = min(int(slot.part), slot.most - slot.decoded)
            slot.part -= made
            slot.decoded += made
            self.generated += made
            self.steps += made
            if slot.decoded >= slot.most and slot.task in self._own:
                slot.end()
        return used or self._decode

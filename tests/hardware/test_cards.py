"""Cards that hang beside cards that answer."""

import threading
import time
from threading import Event

import pytest
from llmtop.probes.hardware.cards import Cards
from llmtop.probes.sample import Device


class Counting:
    """A card that says how often it was read, and waits for a gate before each answer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reads = 0
        self.gate = Event()
        self.gate.set()
        self.seen: set[int] = set()
        self.overlaps = 0
        self._lock = threading.Lock()

    def known(self) -> tuple[Device, ...]:
        return (Device(id=self.name, name=f"card {self.name}", vendor="ACME", kind="gpu"),)

    def read(self) -> tuple[Device, ...]:
        self.overlaps += not self._lock.acquire(blocking=False)
        self.seen.add(threading.get_ident())
        self.gate.wait()
        self.reads += 1
        if self._lock.locked():
            self._lock.release()
        return (Device(id=self.name, name="met", vendor="ACME", kind="gpu", cores=7, power_w=float(self.reads)),)


def test_a_card_that_hangs_delays_one_reading_by_the_patience_and_no_other() -> None:
    hung, well = Counting("0"), Counting("1")
    cards = Cards([hung, well], patience_s=0.2)
    assert [device.power_w for device in cards.read()] == [1.0, 1.0]
    hung.gate.clear()
    began = time.monotonic()
    silent, fresh = cards.read()
    assert 0.19 < time.monotonic() - began < 0.5
    assert (silent.name, silent.cores, silent.power_w) == ("met", 7, None)
    assert silent.problem == "its driver does not answer"
    assert fresh.power_w == 2.0
    began = time.monotonic()
    for turn in range(3, 23):
        assert cards.read()[1].power_w == float(turn)
    assert time.monotonic() - began < 0.2, "who owes an answer is not waited for again"
    hung.gate.set()
    time.sleep(0.05)
    back, _ = cards.read()
    assert back.problem is None
    assert back.power_w in {2.0, 3.0}
    assert hung.reads <= 3, "readings of one card never pile up"


def test_a_card_that_never_answered_is_named_and_its_silence_counted() -> None:
    now = [100.0]
    card = Counting("0")
    card.gate.clear()
    cards = Cards([card], patience_s=0.01, clock=lambda: now[0])
    assert cards.read()[0].problem == "its driver does not answer"
    now[0] += 12.4
    (silent,) = cards.read()
    assert (silent.name, silent.problem) == ("card 0", "its driver has not answered for 12 s")
    card.gate.set()


def test_a_card_that_is_always_late_is_told_a_reading_later_and_is_waited_for_once() -> None:
    class Slow(Counting):
        def read(self) -> tuple[Device, ...]:
            time.sleep(0.2)
            return super().read()

    cards = Cards([Slow("0"), Counting("1")], patience_s=0.1)
    assert cards.read()[0].problem == "its driver does not answer"
    for turn in range(1, 4):
        time.sleep(0.25)
        began = time.monotonic()
        slow, fast = cards.read()
        assert (slow.problem, slow.power_w, fast.power_w) == (None, float(turn), float(turn + 1))
        assert time.monotonic() - began < 0.09


def test_a_fault_of_ours_in_one_card_is_told_once_and_the_card_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def hook(crash: threading.ExceptHookArgs) -> None:
        told.append(str(crash.exc_value))

    monkeypatch.setattr(threading, "excepthook", hook)
    faulty, well = Counting("0"), Counting("1")
    read = faulty.read

    def failing() -> tuple[Device, ...]:
        if read()[0].power_w in {2.0, 3.0}:
            raise ValueError("odd")
        return (Device(id="0", name="met", vendor="ACME", kind="gpu"),)

    monkeypatch.setattr(faulty, "read", failing)
    cards = Cards([faulty, well])
    problems = [cards.read()[0].problem for _ in range(4)]
    assert problems == [None, *["a fault in llmtop while it was read (ValueError)"] * 2, None]
    assert told == ["odd"]
    assert well.reads == 4


def test_cards_that_answer_at_once_share_a_thread_and_one_that_hangs_among_them_leaves_it() -> None:
    cards = [Counting(str(number)) for number in range(5)]
    threads: list[set[int]] = [set() for _ in cards]
    for card, seen in zip(cards, threads, strict=True):
        card.seen = seen
    row = Cards(cards, patience_s=0.2)
    row.read()
    for seen in threads:
        seen.clear()
    for _ in range(3):
        row.read()
    assert len({ident for seen in threads for ident in seen}) == 1
    cards[1].gate.clear()
    began = time.monotonic()
    answers = row.read()
    assert time.monotonic() - began < 0.5
    assert [answer.power_w for answer in answers] == [5.0, None, 5.0, 5.0, 5.0]
    began = time.monotonic()
    for turn in range(6, 16):
        assert [answer.power_w for answer in row.read()][2:] == [float(turn)] * 3
    assert time.monotonic() - began < 0.2
    cards[1].gate.set()
    time.sleep(0.05)
    for _ in range(3):
        row.read()
    for seen in threads:
        seen.clear()
    assert all(answer.problem is None for answer in row.read())
    assert len({ident for seen in threads for ident in seen}) == 1, "it is back with the others"
    assert [card.overlaps for card in cards] == [0] * 5

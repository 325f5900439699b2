"""The slot ledger against a simulated llama-server whose true counts are known."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.engines.slots import NextToken, Slot, SlotLedger, decode_slots

DATA = Path(__file__).parent.parent / "data" / "llama-server"


class Server:
    """Two slots that behave as the docstring of the module under test says; `made` is the truth."""

    def __init__(self) -> None:
        self.made = self.prefilled = 0
        self.task = 0
        self.slots = [Slot(id=0, n_ctx=4096), Slot(id=1, n_ctx=4096)]

    def begin(self, index: int, prompt: int, limit: int) -> None:
        self.task += 1
        self.slots[index] = Slot(
            id=index, n_ctx=4096, is_processing=True, task=self.task, tokens=prompt, next_token=[NextToken(0, limit)]
        )

    def prefill(self, index: int) -> None:
        slot = self.slots[index]
        self.prefilled += slot.tokens - slot.processed
        self.slots[index] = msgspec.structs.replace(slot, processed=slot.tokens)

    def step(self, index: int) -> None:
        slot = self.slots[index]
        if not slot.is_processing:
            return
        if not slot.processed:
            self.prefill(index)
            return
        progress = slot.progress
        self.made += 1
        if progress.n_remain <= 1:
            self.slots[index] = msgspec.structs.replace(
                slot, is_processing=False, processed=0, next_token=[NextToken(0, -1)]
            )
        else:
            progress = NextToken(progress.n_decoded + 1, progress.n_remain - 1)
            self.slots[index] = msgspec.structs.replace(slot, tokens=slot.tokens + 1, next_token=[progress])


@given(
    st.lists(st.sampled_from(["step", "poll", "begin"]), min_size=10, max_size=300),
    st.integers(1, 9),
    st.integers(2, 20),
)
def test_with_a_free_slot_between_requests_every_token_is_counted(events: list[str], prompt: int, limit: int) -> None:
    server, ledger = Server(), SlotLedger()
    ledger.read(list(server.slots), 0.0)
    free, begun = [True, True], [False, False]
    for number, event in enumerate(events):
        if event == "poll":
            ledger.read(list(server.slots), float(number))
            begun = [False, False]
            free = [not slot.is_processing for slot in server.slots]
        elif event == "begin":
            seen_free = [index for index in (0, 1) if free[index]]
            if seen_free:
                server.begin(seen_free[0], prompt, limit)
                begun[seen_free[0]] = True
                free[seen_free[0]] = False
        else:
            for index in (0, 1):
                if not (begun[index] and server.slots[index].progress.n_remain == 1):
                    server.step(index)
    ledger.read(list(server.slots), float(len(events)))
    assert ledger.decoded == server.made
    assert ledger.prefilled == server.prefilled


@given(st.integers(1, 16), st.integers(50, 400))
def test_back_to_back_requests_with_a_limit_lose_nothing(poll_every: int, limit: int) -> None:
    server, ledger = Server(), SlotLedger()
    ledger.read(list(server.slots), 0.0)
    for tick in range(1, 2000):
        if not server.slots[0].is_processing:
            server.begin(0, 20, limit)
        server.step(0)
        if tick % poll_every == 0:
            ledger.read(list(server.slots), tick / 100)
    ledger.read(list(server.slots), 20.0)
    assert ledger.decoded == pytest.approx(server.made, rel=0.02, abs=3)


def test_what_was_made_before_the_first_reading_is_not_counted() -> None:
    ledger = SlotLedger()
    ledger.read(
        [Slot(id=0, is_processing=True, task=1, tokens=120, processed=20, next_token=[NextToken(100, 50)])], 0.0
    )
    assert ledger.decoded == 0
    assert ledger.prefilled == 0


def test_both_shapes_of_next_token_are_read() -> None:
    as_object = decode_slots(b'[{"id":0,"is_processing":true,"next_token":{"n_decoded":7,"n_remain":3}}]')
    as_list = decode_slots(b'[{"id":0,"is_processing":true,"next_token":[{"n_decoded":7,"n_remain":3}]}]')
    assert as_object[0].progress == as_list[0].progress == NextToken(7, 3)


def test_prompt_and_answer_are_dropped_unread() -> None:
    body = b'[{"id":0,"is_processing":true,"prompt":"sesame","generated":"open","next_token":[{"n_decoded":1}]}]'
    assert "sesame" not in repr(decode_slots(body))
    assert b"sesame" not in msgspec.json.encode(decode_slots(body))


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"id":"x"}]', b"[" * 10000, b"\xff\xfe", b'{"error":{"code":503}}'])
def test_what_are_no_slots_is_one_kind_of_error(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_slots(body)


def test_a_recorded_body_of_a_busy_server() -> None:
    """Captured from llama-server 0.5.0-dev while it served two requests, 2026-11."""
    slots = decode_slots((DATA / "decoding.slots.json").read_bytes())
    assert [(slot.id, slot.task, slot.prompt, slot.progress.n_decoded) for slot in slots] == [
        (0, 6, 17, 49),
        (1, 4, 1402, 50),
    ]

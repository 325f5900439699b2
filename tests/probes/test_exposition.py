import math
import string
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmtop.probes.engines.vllm import NAMES
from llmtop.probes.exposition import BadExposition, Series, parse
from prometheus_client.parser import text_string_to_metric_families

BODY = (Path(__file__).parents[1] / "data" / "vllm" / "0.32.0-whole.metrics.txt").read_bytes()


def rows(series: Series, names: frozenset[str]) -> list[tuple[str, list[tuple[str, str]], float]]:
    return sorted((name, sorted(labels.items()), value) for name in names for labels, value in series.get(name))


def whole(body: bytes, names: frozenset[str]) -> list[tuple[str, list[tuple[str, str]], float]]:
    """What the parser of prometheus_client makes of an entire body."""
    samples = [sample for family in text_string_to_metric_families(body.decode()) for sample in family.samples]
    return sorted(
        (sample.name, sorted(sample.labels.items()), float(sample.value))
        for sample in samples
        if sample.name in names and math.isfinite(sample.value)
    )


def every_name(body: bytes) -> frozenset[str]:
    return frozenset(
        sample.name for family in text_string_to_metric_families(body.decode()) for sample in family.samples
    )


@pytest.mark.parametrize("names", [NAMES.wanted, every_name(BODY), frozenset[str]()], ids=["vllm", "all", "none"])
def test_filtering_first_changes_nothing(names: frozenset[str]) -> None:
    assert rows(parse(BODY, names), names) == whole(BODY, names)


LABELS = st.dictionaries(
    st.text(string.ascii_lowercase, min_size=1, max_size=5),
    st.text(st.characters(codec="utf-8"), max_size=8),
    max_size=3,
)
VALUES = st.one_of(st.floats(), st.integers())


def line(name: str, labels: dict[str, str], value: float) -> str:
    def quoted(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    inside = ",".join(f'{label}="{quoted(text)}"' for label, text in labels.items())
    return f"{name}{{{inside}}} {value}" if labels else f"{name} {value}"


@given(st.lists(st.tuples(st.sampled_from(["a", "a_total", "a:b", "ab", "a_created", "b"]), LABELS, VALUES)))
def test_parity_on_made_up_bodies(samples: list[tuple[str, dict[str, str], float]]) -> None:
    unusual = "".join(chr(code) for code in (*range(0x20), 0x7F, 0x85, 0x2028, 0x2029))
    cleaned = [
        (name, {label: text.translate(dict.fromkeys(map(ord, unusual))) for label, text in labels.items()}, value)
        for name, labels, value in samples
    ]
    body = "\n".join(f"# TYPE {name} gauge\n{line(name, labels, value)}" for name, labels, value in cleaned).encode()
    names = frozenset({"a", "a_total", "a:b"})
    assert rows(parse(body, names), names) == whole(body, names)


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(),
        st.text().map(str.encode),
        st.lists(
            st.sampled_from(
                [
                    b"a",
                    b"{",
                    b"}",
                    b'"',
                    b"=",
                    b",",
                    b" ",
                    b"\t",
                    b"\\",
                    b"\n",
                    b"1",
                    b"e",
                    b"#",
                    b"a 1\n",
                    b'a{b="c"} 2',
                    b"9" * 400,
                    b"\r",
                ]
            )
        ).map(b"".join),
    )
)
def test_arbitrary_bytes(body: bytes) -> None:
    for text in (body, b"a " + body, b"a{" + body, b'a{b="' + body):
        with suppress(BadExposition):
            series = parse(text, {"a"})
            assert all(math.isfinite(value) for _, value in series.get("a"))


def test_values_that_are_no_numbers_are_unknown() -> None:
    series = parse(b"a NaN\nb +Inf\nb 2\nc -Inf\nd 1e3\n", "abcd")
    assert [series.total(name) for name in "abcde"] == [None, 2, None, 1000, None]


def test_created_and_longer_names_are_not_counted() -> None:
    series = parse(b"a_total 3\na_total_created 1.7e9\na_created 1.7e9\na_totals 9\na 8\n", {"a_total"})
    assert series.total("a_total") == 3
    assert series.total("a") is None


def test_sums_means_and_labels() -> None:
    series = parse(b'a{engine="0",s="x"} 1\na{engine="1",s="x"} 3\na{engine="1",s="y"} 5\n', {"a", "b"})
    assert series.total("a") == 9
    assert series.total("a", engine="1") == 8
    assert series.total("a", engine="1", s="x") == 3
    assert series.total("a", engine="2") is None
    assert series.mean("a", s="x") == 2
    assert series.mean("b") is None
    assert series.first(("b", "a")) == "a"
    assert series.first(("b",)) is None
    assert (series.label("a", "engine"), series.label("a", "z"), series.label("b", "s")) == ("0", None, None)


def test_errors_elsewhere_do_not_matter() -> None:
    assert parse(b'# TYPE\nx{{{ "\na 1\r\n\xff\xfe\n', {"a"}).total("a") == 1
    assert parse(b"<html><body>404</body></html>", {"a"}).total("a") is None


@pytest.mark.parametrize("body", [b"a\t", b"a one", b'a{b="c} 1', b"a{b=c} 1", b"a 1_000", b"a 1" + b"0" * 400])
def test_malformed_lines(body: bytes) -> None:
    with pytest.raises(BadExposition, match="not Prometheus text"):
        parse(body, {"a"})


def test_a_lying_engine_is_not_parsed_for_long() -> None:
    for body in (b"a 1\n" * 1_000_000, b'a{b="' + b'\\"' * 1_000_000 + b'"} 1'):
        start = time.thread_time()
        with pytest.raises(BadExposition, match="too long"):
            parse(body, {"a"})
        assert time.thread_time() - start < 0.5


def test_a_vllm_body_is_cheap() -> None:
    parse(BODY, NAMES.wanted)
    start = time.thread_time()
    for _ in range(50):
        parse(BODY, NAMES.wanted)
    assert (time.thread_time() - start) / 50 < 0.002

"""What a scraper sees: with the parser of Prometheus itself."""

from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

Metrics = dict[str, list[tuple[Mapping[str, str], float]]]


def get(url: str, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def parse(text: str) -> Metrics:
    found: Metrics = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def metrics(url: str) -> Metrics:
    return parse(get(url, "/metrics")[2].decode())


def total(found: Metrics, name: str) -> float:
    return sum(value for _, value in found.get(f"llmtop_observed_{name}", []))

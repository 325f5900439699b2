"""Samples to JSON lines and back. A recording holds counts, names and watts: no prompt, no answer, no key."""

from pathlib import Path
from threading import Lock
from typing import BinaryIO

import msgspec

from .sample import Sample

FORMAT = 1


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a recording."""

    llmtop_recording: int
    version: str
    interval: float
    """Seconds between two readings of a source."""


class Recording(msgspec.Struct, frozen=True):
    """What a file holds."""

    interval: float
    samples: list[Sample]
    """In the order of their time; at least one."""


class BadRecording(Exception):
    """The file is no recording that can be played; the text is one line for a person."""


class Recorder:
    """Writes each sample as one line of JSON, at once: a recording cut off anywhere can still be played."""

    def __init__(self, path: Path, version: str, interval: float) -> None:
        """Creates the file; raises OSError when it cannot be written, FileExistsError when it is there already."""
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._lock = Lock()
        self._encoder = msgspec.json.Encoder()
        self._write(Header(llmtop_recording=FORMAT, version=version, interval=interval))

    def add(self, sample: Sample) -> None:
        """Writes one sample. Safe to call from several threads."""
        self._write(sample)

    def close(self) -> None:
        """Ends the recording."""
        with self._lock:
            self._file.close()

    def _write(self, line: Header | Sample) -> None:
        encoded = self._encoder.encode(line) + b"\n"
        with self._lock:
            if not self._file.closed:
                self._file.write(encoded)


def load(path: Path) -> Recording:
    """Reads a recording.

    Raises:
        BadRecording: it is not a recording, or a line in the midst of it is damaged. A damaged last line is what a
            recorder leaves that was killed: it is left out.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadRecording(f"{path}: {error.strerror}") from None
    try:
        header = msgspec.json.decode(lines[0] if lines else b"", type=Header)
    except msgspec.DecodeError:
        raise BadRecording(f"{path} is not a recording of llmtop: make one with llmtop --record FILE") from None
    if header.llmtop_recording != FORMAT:
        raise BadRecording(f"{path} has format {header.llmtop_recording}; this llmtop plays format {FORMAT}")
    decoder = msgspec.json.Decoder(Sample)
    samples: list[Sample] = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            samples.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            if number == len(lines):
                break
            raise BadRecording(f"{path}, line {number}: {error}") from None
    if not samples:
        raise BadRecording(f"{path} holds no samples")
    return Recording(header.interval, sorted(samples, key=lambda sample: sample.time))

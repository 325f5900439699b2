"""Writing model files; that llama.cpp runs them is shown in test_run."""

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from llmtop.probes.models import facts
from llmtop.tui.demo import model
from llmtop.tui.demo.error import DemoError
from llmtop.tui.demo.model import write
from llmtop.tui.demo.shape import RESERVED, SHAPES
from llmtop.tui.demo.vocabulary import tokens
from llmtop.tui.demo.weights import Tensor, Weights, tensors

from .processes import SEARCH, wait_for

NANO = SHAPES["nano"]


@pytest.mark.parametrize("quantization", ["Q4_0", "Q8_0", "F16", "F32"])
def test_the_file_is_what_the_table_says(tmp_path: Path, quantization: str) -> None:
    path = tmp_path / "folder" / "nano.gguf"
    shares: list[float] = []
    write(path, NANO, quantization=quantization, progress=shares.append)
    found = facts(str(path))
    assert found is not None
    assert found.name == "nano"
    assert found.weight_bytes == sum(tensor.bytes for tensor in tensors(NANO, quantization))
    assert path.stat().st_size == pytest.approx(NANO.file_bytes(quantization), rel=0.15)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert [left.name for left in path.parent.iterdir()] == ["nano.gguf"]


def test_equal_seeds_write_equal_files(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        folder = tmp_path / name
        write(folder / "m.gguf", NANO, seed=seed)
    first, second, third = ((tmp_path / name / "m.gguf").read_bytes() for name in "abc")
    assert first == second
    assert first != third


def test_tokens_without_text_are_never_chosen() -> None:
    head = Tensor("output.weight", (1024, 128), "Q4_0", silent=RESERVED)
    data = b"".join(bytes(chunk) for chunk in Weights(1).chunks(head))
    assert len(data) == head.bytes
    assert not any(data[: RESERVED * head.row_bytes])
    assert any(data[RESERVED * head.row_bytes :][: head.row_bytes])


def test_the_vocabulary_has_every_byte_and_no_word_twice() -> None:
    texts, scores, types = tokens(32000)
    assert len(texts) == len(set(texts)) == len(scores) == len(types) == 32000
    assert types.count(6) == 256
    with pytest.raises(ValueError, match="354 tokens or more"):
        tokens(300)


def test_what_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no quantization 'Q3_K'"):
        write(tmp_path / "m.gguf", NANO, quantization="Q3_K")


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    def fill(_: float) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DemoError, match=r"no room for the demo model: 0.00 GB are needed in "):
        write(tmp_path / "m.gguf", NANO, progress=fill)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match=r"the demo model cannot be written to .*: File exists"):
        write(tmp_path / "file" / "m.gguf", NANO)


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "m.gguf", NANO, progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_a_killed_write_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    code = (
        "import sys, time; from pathlib import Path; from llmtop.tui.demo.model import write\n"
        "from llmtop.tui.demo.shape import SHAPES\n"
        "write(Path(sys.argv[1]), SHAPES['nano'], progress=lambda _: time.sleep(60))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], env=SEARCH) as writer:
        assert wait_for(lambda: list(tmp_path.iterdir()), 20)
        time.sleep(0.1)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert [left.suffix for left in tmp_path.iterdir()] == [".part"]
    assert facts(str(path)) is None
    model.discard_remains(path)
    assert not list(tmp_path.iterdir())

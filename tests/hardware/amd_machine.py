"""Machines with AMD GPUs as their files were found: tests/data/hardware/amd.

A line is a file (`path = content`), a file of bytes (`path : hexadecimal`) or a link (`path -> target`); `@` at its
start is the folder of the card, which the line `@ = path` names.
"""

import struct
from pathlib import Path

from llmtop.probes.hardware.amd.probe import AmdProbe
from llmtop.probes.sample import Device

FOLDER = Path(__file__).parent.parent / "data/hardware/amd"


class AmdMachine:
    """A root with the files of one or more cards, and a clock."""

    def __init__(self, root: Path, *names: str) -> None:
        self.root = root
        self.now = 1_000.0
        self.card = root
        """The folder of the card that was put in last."""
        for name in names:
            self.load(name)

    def clock(self) -> float:
        """Its time."""
        return self.now

    def load(self, name: str, **words: object) -> None:
        """Puts a card in; `words` are filled into its lines."""
        for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
            text = line
            for word, value in words.items():
                text = text.replace(f"{{{word}}}", str(value))
            if text.startswith("@ ="):
                self.card = self.root / text[3:].strip()
            elif text and not text.startswith("#"):
                self._line(text)

    def put(self, path: str, content: str) -> Path:
        """Writes one file; a path that begins with "@/" is one of the card."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n", "utf-8")
        return file

    def path(self, path: str) -> Path:
        """Where that is."""
        return self.card / path[2:] if path.startswith("@/") else self.root / path

    def link(self, path: str, target: str) -> None:
        """Writes one link."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)

    def table(self, **fields: tuple[str, int, int]) -> None:
        """Changes fields of the firmware's table: each a format, an offset and a number."""
        file = self.card / "gpu_metrics"
        table = bytearray(file.read_bytes())
        for form, offset, number in fields.values():
            struct.pack_into(form, table, offset, number)
        file.write_bytes(table)

    def names(self) -> None:
        """Installs libdrm's list of names."""
        self.put("usr/share/libdrm/amdgpu.ids", (FOLDER / "amdgpu.ids").read_text("utf-8"))

    def probe(self) -> AmdProbe:
        """A reader of it."""
        return AmdProbe(root=self.root, clock=self.clock, patience_s=5.0)

    def read(self) -> Device:
        """The only card of it, read once."""
        (device,) = self.probe().read().devices
        return device

    def _line(self, text: str) -> None:
        path, _, rest = text.partition(" ")
        kind, _, content = rest.partition(" ")
        if kind == "->":
            self.link(path, content)
        elif kind == ":":
            file = self.put(path, "")
            file.write_bytes(bytes.fromhex(content))
        else:
            self.put(path, content.replace("\\n", "\n"))


def mi300x(index: int) -> dict[str, object]:
    """What tells the cards of one machine apart: the buses are 0x15, 0x35 and so on."""
    bus = 0x15 + 0x20 * index % 0xE0 + index // 7
    return {
        "card": index + 1,
        "bus": f"{bus:02x}",
        "place": bus << 8,
        "node": index + 2,
        "gpu_id": 1000 + index,
        "unique": 7000 + index,
    }

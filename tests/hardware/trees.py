"""Small files of a machine that Linux would show."""

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data/hardware/cpu"


def tree(root: Path, name: str) -> Path:
    """Writes the files of tests/data/hardware/cpu/NAME.txt: a line a file, `path = content`."""
    for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            path, _, content = line.partition(" = ")
            put(root, path, content.replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0"))
    return root


def put(root: Path, path: str, content: str) -> None:
    """Writes one file."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content + "\n", "utf-8")


def processors(
    root: Path, *, cores: int, threads: int = 1, sockets: int = 1, nodes: int = 1, smt_after: bool = True
) -> Path:
    """Cores that are alike, `cores` of all sockets, numbered as x86 servers do: second threads after all first ones."""
    folder = root / "sys/devices/system/cpu"
    count = cores * threads
    put(root, "sys/devices/system/cpu/online", f"0-{count - 1}")
    for cpu in range(count):
        core = cpu % cores if smt_after else cpu // threads
        siblings = [core + cores * thread if smt_after else core * threads + thread for thread in range(threads)]
        topology = folder / f"cpu{cpu}/topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text(f"{core * sockets // cores}\n")
        (topology / "core_cpus_list").write_text(",".join(map(str, siblings)) + "\n")
    for node in range(nodes):
        own = [cpu for cpu in range(count) if (cpu % cores if smt_after else cpu // threads) * nodes // cores == node]
        put(root, f"sys/devices/system/node/node{node}/cpulist", ",".join(map(str, own)))
    return root

"""What this process runs in: a virtual machine, a container, both, or neither.

Sources: systemd-detect-virt (src/basic/virt.c) for the files, the words of the makers and the mark files of containers;
the Linux ABI for `sys/class/dmi/id`, `sys/hypervisor` and the device tree's `hypervisor/compatible`.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from ..files import ROOT, read_text

_MAKERS = (
    ("vmware", "VMware"),
    ("innotek gmbh", "VirtualBox"),
    ("virtualbox", "VirtualBox"),
    ("parallels", "Parallels"),
    ("bhyve", "bhyve"),
    ("xen", "Xen"),
    ("apple virtualization", "Apple Virtualization"),
    ("cloud-hypervisor", "Cloud Hypervisor"),
    ("google compute engine", "Google Compute Engine"),
    ("amazon ec2", "Amazon EC2"),
    ("openstack", "KVM (OpenStack)"),
    ("kubevirt", "KVM (KubeVirt)"),
    ("kvm", "KVM"),
    ("qemu", "QEMU"),
    ("bochs", "QEMU"),
)
"""What the firmware calls the maker or the product, and what people call the hypervisor."""

_CLOCKS = (("kvm-clock", "KVM"), ("hyperv", "Hyper-V"), ("xen", "Xen"))
"""Clock sources that a hypervisor offers its guest."""

_TREES = (("linux,kvm", "KVM"), ("xen", "Xen"), ("vmware", "VMware"))

_MOUNTED = frozenset({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})
"""Files that whoever starts a container puts into it, from a folder of its own."""

_FOLDERS = (
    (r"/pods/[^/]+/etc-hosts$|/io\.containerd\.grpc\.v1\.cri/", "kubernetes"),
    (r"/overlay-containers/", "podman"),
    (r"/nerdctl/", "containerd"),
    (r"/containers/[0-9a-f]{64}/", "docker"),
)
"""Those folders, by whose they are."""

_GROUPS = (("kubepods", "kubernetes"), ("/docker", "docker"), ("/libpod", "podman"), ("/lxc", "lxc"))
"""Names in the path of the first process's control group, by who makes the group."""


class _Mount(Struct, frozen=True, kw_only=True):
    """One mounted file system, or a part of one."""

    point: str
    folder: str
    """The part of the file system that is seen there."""
    kind: str
    source: str


def virtualization(root: Path = ROOT) -> str | None:
    """What the machine is simulated by: "KVM", "WSL2", "Hyper-V"…; None for a real one, or where nothing tells."""
    release = (read_text(root / "proc/sys/kernel/osrelease") or read_text(root / "proc/version") or "").lower()
    if "wsl2" in release:
        return "WSL2"
    if "microsoft" in release:
        return "WSL1"
    flags = _flags(root)
    if flags and "hypervisor" not in flags:
        return None
    tree = read_text(root / "proc/device-tree/hypervisor/compatible") or ""
    clocks = read_text(root / "sys/devices/system/clocksource/clocksource0/available_clocksource") or ""
    return (
        _by_firmware(root)
        or _xen(root)
        or _named(tree.lower(), _TREES)
        or _named(clocks, _CLOCKS)
        or ("unknown hypervisor" if flags else None)
    )


def container(root: Path = ROOT, environment: Mapping[str, str] | None = None) -> str | None:
    """What shuts this process in: "docker", "podman", "kubernetes", "lxc", "systemd-nspawn"…; None outside of one."""
    environment = os.environ if environment is None else environment
    if "KUBERNETES_SERVICE_HOST" in environment:
        return "kubernetes"
    if told := read_text(root / "run/systemd/container"):
        return None if told == "wsl" else told
    mounts = list(_mounts(root))
    if found := _by_mounts(mounts) or _named(read_text(root / "proc/1/cgroup") or "", _GROUPS):
        return found
    if _is_there(root / "run/.containerenv"):
        return "podman"
    if _is_there(root / ".singularity.d"):
        return "apptainer"
    # Images of containers are also booted as virtual machines, and keep this file: then a disk is mounted as a whole.
    if _is_there(root / ".dockerenv") and not _boots_from_disk(mounts):
        return "docker"
    return None


def _is_there(path: Path) -> bool:
    return os.access(path, os.F_OK)


def _flags(root: Path) -> list[str]:
    """Those of x86; no other architecture says whether it is simulated."""
    for line in (read_text(root / "proc/cpuinfo") or "").splitlines():
        if line.startswith("flags"):
            return line.partition(":")[2].split()
    return []


def _by_firmware(root: Path) -> str | None:
    """By what the firmware says of itself; the tables of ACPI are for root only."""
    folder = root / "sys/class/dmi/id"
    vendor, product = (read_text(folder / name) or "" for name in ("sys_vendor", "product_name"))
    if product == "Virtual Machine" and vendor.startswith("Microsoft"):
        return "Hyper-V"
    if vendor == "Amazon EC2" and ".metal" in product:
        return None
    table = read_text(root / "sys/firmware/acpi/tables/FACP") or ""
    if "FIRECK" in table[:40]:
        return "Firecracker"
    return _named(f"{vendor} {product}".lower(), _MAKERS)


def _xen(root: Path) -> str | None:
    """A guest of Xen; the domain that drives the hardware is none."""
    drives = "control_d" in (read_text(root / "proc/xen/capabilities") or "")
    return "Xen" if read_text(root / "sys/hypervisor/type") == "xen" and not drives else None


def _named(text: str, words: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for word, name in words if word in text), None)


def _mounts(root: Path) -> Iterator[_Mount]:
    """What this process sees mounted (proc_pid_mountinfo(5))."""
    for line in (read_text(root / "proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) >= 5 and len(kind) >= 2:
            yield _Mount(point=fields[4], folder=fields[3], kind=kind[0], source=kind[1])


def _by_mounts(mounts: list[_Mount]) -> str | None:
    """A host that runs containers sees their mounts as well, but elsewhere."""
    for mount in mounts:
        if mount.kind == "fuse.lxcfs" and mount.point.startswith("/proc/"):
            return "lxc"
        if mount.point in _MOUNTED:
            for pattern, name in _FOLDERS:
                if re.search(pattern, mount.folder):
                    return name
    return None


def _boots_from_disk(mounts: list[_Mount]) -> bool:
    """Whether the root directory is the whole of a file system on a disk."""
    top = next((mount for mount in mounts if mount.point == "/"), None)
    return bool(top and top.folder == "/" and top.source.startswith("/dev/") and "docker" not in top.source)

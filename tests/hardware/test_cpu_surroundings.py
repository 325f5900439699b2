"""Virtual machines and containers, by the files that their inhabitants see."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.host.surroundings import container, virtualization

from .trees import put, tree

ID = "9d1d1cf6d0a1" + "0" * 52
CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"


def dmi(root: Path, vendor: str, product: str) -> None:
    put(root, "sys/class/dmi/id/sys_vendor", vendor)
    put(root, "sys/class/dmi/id/product_name", product)


@pytest.mark.parametrize(
    ("vendor", "product", "name"),
    [
        ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "QEMU"),
        ("Red Hat", "KVM", "KVM"),
        ("OpenStack Foundation", "OpenStack Nova", "KVM (OpenStack)"),
        ("VMware, Inc.", "VMware20,1", "VMware"),
        ("innotek GmbH", "VirtualBox", "VirtualBox"),
        ("Microsoft Corporation", "Virtual Machine", "Hyper-V"),
        ("Xen", "HVM domU", "Xen"),
        ("Amazon EC2", "m7i.large", "Amazon EC2"),
        ("Google", "Google Compute Engine", "Google Compute Engine"),
        ("Apple Inc.", "Apple Virtualization Generic Platform", "Apple Virtualization"),
        ("Nobody", "Nothing", "unknown hypervisor"),
    ],
)
def test_firmware_of_virtual_machines(tmp_path: Path, vendor: str, product: str, name: str) -> None:
    put(tmp_path, "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor avx2")
    dmi(tmp_path, vendor, product)
    assert virtualization(tmp_path) == name


@pytest.mark.parametrize(
    ("vendor", "product"),
    [
        ("Dell Inc.", "PowerEdge R750"),
        ("Microsoft Corporation", "Surface Laptop 5"),
        ("Amazon EC2", "m7i.metal-24xl"),
        ("QEMU", "KVM"),  # a processor that is not simulated decides
    ],
)
def test_real_machines(tmp_path: Path, vendor: str, product: str) -> None:
    put(tmp_path, "proc/cpuinfo", "flags\t\t: fpu avx2")
    put(tmp_path, CLOCKS, "tsc hpet acpi_pm")
    dmi(tmp_path, vendor, product)
    assert virtualization(tmp_path) is None


@pytest.mark.parametrize(
    ("release", "name"), [("5.15.153.1-microsoft-standard-WSL2", "WSL2"), ("4.4.0-19041-Microsoft", "WSL1")]
)
def test_wsl(tmp_path: Path, release: str, name: str) -> None:
    put(tmp_path, "proc/sys/kernel/osrelease", release)
    put(tmp_path, "run/systemd/container", "wsl")
    assert virtualization(tmp_path) == name
    assert container(tmp_path, {}) is None


def test_firecracker_shows_its_name_to_root_only(tmp_path: Path) -> None:
    put(tmp_path, "proc/cpuinfo", "flags\t\t: fpu hypervisor")
    put(tmp_path, CLOCKS, "tsc kvm-clock ")
    assert virtualization(tmp_path) == "KVM"
    put(tmp_path, "sys/firmware/acpi/tables/FACP", "FACP\x14\x01\0\0\x06fFIRECKFCVMFADT")
    assert virtualization(tmp_path) == "Firecracker"


@pytest.mark.parametrize(("capabilities", "name"), [("", "Xen"), ("control_d", None)])
def test_xen(tmp_path: Path, capabilities: str, name: str | None) -> None:
    put(tmp_path, "sys/hypervisor/type", "xen")
    put(tmp_path, "proc/xen/capabilities", capabilities)
    assert virtualization(tmp_path) == name


def test_arm(tmp_path: Path) -> None:
    assert virtualization(tree(tmp_path / "pi", "raspberry-pi-5")) is None
    put(tmp_path, "proc/device-tree/hypervisor/compatible", "linux,kvm\0")
    assert virtualization(tmp_path) == "KVM"
    assert virtualization(tree(tmp_path / "cloud", "graviton-3")) == "Amazon EC2"


def mounted(folder: str, point: str = "/etc/hosts", kind: str = "ext4", source: str = "/dev/sda1") -> str:
    return f"500 473 8:1 {folder} {point} rw,relatime - {kind} {source} rw"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (mounted(f"/var/lib/docker/containers/{ID}/hosts"), "docker"),
        (mounted(f"/containers/{ID}/resolv.conf", "/etc/resolv.conf"), "docker"),
        (mounted("/var/lib/kubelet/pods/9a18ffb8/etc-hosts"), "kubernetes"),
        (mounted("/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/1/hostname", "/etc/hostname"), "kubernetes"),
        (mounted(f"/containers/storage/overlay-containers/{ID}/userdata/hosts"), "podman"),
        (mounted("/proc/meminfo", "/proc/meminfo", "fuse.lxcfs", "lxcfs"), "lxc"),
        # What a host sees that runs containers.
        (mounted("/", "/var/lib/lxcfs", "fuse.lxcfs", "lxcfs"), None),
        (mounted("/", f"/var/lib/docker/containers/{ID}/mounts/shm", "tmpfs", "shm"), None),
        (mounted("/", "/var/lib/kubelet/pods/9a18/volumes/x", "tmpfs", "tmpfs"), None),
        ("garbage", None),
    ],
)
def test_containers_by_what_is_mounted(tmp_path: Path, line: str, name: str | None) -> None:
    put(tmp_path, "proc/self/mountinfo", f"{mounted('/', '/')}\n{line}")
    put(tmp_path, "proc/1/cgroup", "0::/init.scope")
    assert container(tmp_path, {}) == name


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("run/systemd/container", "systemd-nspawn", "systemd-nspawn"),
        ("run/.containerenv", "", "podman"),
        (".singularity.d/labels.json", "{}", "apptainer"),
        (".dockerenv", "", "docker"),
        ("proc/1/cgroup", "4:memory:/docker/abc\n0::/system.slice/containerd.service", "docker"),
        ("proc/1/cgroup", "4:memory:/kubepods/besteffort/pod1/c", "kubernetes"),
        ("proc/1/cgroup", "0::/lxc.payload.box", "lxc"),
    ],
)
def test_containers_by_their_marks(tmp_path: Path, path: str, content: str, name: str) -> None:
    put(tmp_path, path, content)
    assert container(tmp_path, {}) == name


def test_kubernetes_tells_each_container_of_its_service(tmp_path: Path) -> None:
    put(tmp_path, ".dockerenv", "")
    assert container(tmp_path, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}) == "kubernetes"


def test_an_image_that_is_booted_as_a_machine_is_no_container(tmp_path: Path) -> None:
    put(tmp_path, ".dockerenv", "")
    put(tmp_path, "proc/self/mountinfo", "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard")
    assert container(tmp_path, {}) is None
    put(tmp_path, "proc/self/mountinfo", "473 387 0:143 / / rw,relatime - overlay overlay rw,lowerdir=/x")
    assert container(tmp_path, {}) == "docker"


def test_nothing_at_all(tmp_path: Path) -> None:
    assert virtualization(tmp_path) is None
    assert container(tmp_path, {}) is None

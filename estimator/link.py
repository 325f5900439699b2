"""Which devices an engine runs on."""

from ..probes.sample import Device, Engine


def serving(engine: Engine, devices: list[Device]) -> list[Device]:
    """The devices that serve an engine; empty when it cannot be told.

    A GPU serves it when one of its processes holds memory there. A local engine whose processes are known, on a machine
    whose GPUs all say who holds their memory and none names it, runs on the CPU. Everything else stays unknown.
    """
    if not engine.local:
        return []
    gpus = [device for device in devices if device.kind != "cpu"]
    cpus = [device for device in devices if device.kind == "cpu"]
    if not gpus:
        return cpus
    pids = frozenset(engine.pids)
    held = [gpu for gpu in gpus if gpu.processes and any(process.pid in pids for process in gpu.processes)]
    if held:
        return held
    if pids and all(gpu.processes is not None for gpu in gpus):
        return cpus
    return []

"""NVIDIA's CUDA driver library, as far as copying inside a GPU's memory needs it.

Names, signatures and codes: CUDA Driver API reference (`cuda.h`), where `cuMemAlloc` and its like are names of the
preprocessor for the functions with a version that the library exports.
"""

import ctypes
import os
from contextlib import suppress
from ctypes import POINTER, byref, c_char, c_char_p, c_float, c_int, c_size_t, c_uint, c_uint64, c_void_p
from typing import cast

LIBRARY = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"

OUT_OF_MEMORY = 2
_L2_CACHE_SIZE = 38
"""CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE."""
_BLOCKING_SYNC = 1
"""CU_EVENT_BLOCKING_SYNC: who waits for the event sleeps."""

_SIGNATURES: dict[str, tuple[object, ...]] = {
    "cuInit": (c_uint,),
    "cuDriverGetVersion": (POINTER(c_int),),
    "cuDeviceGetCount": (POINTER(c_int),),
    "cuDeviceGet": (POINTER(c_int), c_int),
    "cuDeviceGetUuid": (POINTER(c_char * 16), c_int),
    "cuDeviceGetUuid_v2": (POINTER(c_char * 16), c_int),
    "cuDeviceGetAttribute": (POINTER(c_int), c_int, c_int),
    "cuDevicePrimaryCtxRetain": (POINTER(c_void_p), c_int),
    "cuDevicePrimaryCtxRelease_v2": (c_int,),
    "cuCtxSetCurrent": (c_void_p,),
    "cuMemGetInfo_v2": (POINTER(c_size_t), POINTER(c_size_t)),
    "cuMemAlloc_v2": (POINTER(c_uint64), c_size_t),
    "cuMemFree_v2": (c_uint64,),
    "cuMemsetD32_v2": (c_uint64, c_uint, c_size_t),
    "cuStreamCreate": (POINTER(c_void_p), c_uint),
    "cuStreamDestroy_v2": (c_void_p,),
    "cuMemcpyDtoDAsync_v2": (c_uint64, c_uint64, c_size_t, c_void_p),
    "cuEventCreate": (POINTER(c_void_p), c_uint),
    "cuEventDestroy_v2": (c_void_p,),
    "cuEventRecord": (c_void_p, c_void_p),
    "cuEventSynchronize": (c_void_p,),
    "cuEventElapsedTime": (POINTER(c_float), c_void_p, c_void_p),
}

_HINTS = {
    OUT_OF_MEMORY: "its memory is taken; free some, or measure later",
    3: "the driver is shutting down",
    34: "only the stub of the driver's library is installed; install the driver",
    46: "another process has it for itself (exclusive compute mode)",
    100: "CUDA sees no GPU",
    101: "CUDA does not see this GPU",
    304: "no permission; see the rights on /dev/nvidia*",
    802: "the system is not ready; on machines with NVSwitch nvidia-fabricmanager must run",
    803: "driver and library are of different versions, as after an update; reboot",
    804: "a compatibility package of CUDA does not support this GPU; remove it from LD_LIBRARY_PATH",
    805: "the MPS server of CUDA does not answer",
}


class CudaError(Exception):
    """A function of the library failed; the text is one line that says which, how, and what may help."""

    def __init__(self, function: str, code: int, name: str) -> None:
        self.code = code
        hint = _HINTS.get(code)
        super().__init__(f"{hint} ({function}: {name})" if hint else f"the CUDA driver failed ({function}: {name})")


class Cuda:
    """The library, started. Every method may raise `CudaError`, and may block as long as the driver likes.

    Raises:
        OSError: There is no such library.
    """

    def __init__(self, library: str = LIBRARY) -> None:
        self._library = ctypes.CDLL(library)
        self.call("cuInit", 0)

    def call(self, function: str, *arguments: object) -> None:
        """Calls a function of `_SIGNATURES`."""
        try:
            found = getattr(self._library, function)
        except AttributeError:
            raise CudaError(function, 500, "not in this driver") from None
        found.argtypes = cast("list[type[c_int]]", _SIGNATURES[function])
        code = cast("int", found(*arguments))
        if code:
            raise CudaError(function, code, self._name(code))

    def _name(self, code: int) -> str:
        text = c_char_p()
        if self._library.cuGetErrorName(c_int(code), byref(text)) or not text.value:
            return f"error {code}"
        return text.value.decode("ascii", "replace")

    def version(self) -> str:
        """The newest CUDA that the driver knows: "12.8"."""
        number = c_int()
        self.call("cuDriverGetVersion", byref(number))
        return f"{number.value // 1000}.{number.value % 1000 // 10}"

    def device(self, uuid: str) -> int | None:
        """The device with these 32 hexadecimal digits in its name; None when CUDA does not show it to this process."""
        count = c_int()
        self.call("cuDeviceGetCount", byref(count))
        for ordinal in range(count.value):
            device = c_int()
            self.call("cuDeviceGet", byref(device), ordinal)
            if self._uuid(device.value) == bare(uuid):
                return device.value
        return None

    def cache_bytes(self, device: int) -> int:
        """Its L2 cache."""
        size = c_int()
        self.call("cuDeviceGetAttribute", byref(size), _L2_CACHE_SIZE, device)
        return size.value

    def free_bytes(self) -> int:
        """Memory that is free on the device of the current context."""
        free, total = c_size_t(), c_size_t()
        self.call("cuMemGetInfo_v2", byref(free), byref(total))
        return free.value

    def enter(self, device: int) -> None:
        """Makes the device's primary context that of this thread; `leave` gives it back."""
        context = c_void_p()
        self.call("cuDevicePrimaryCtxRetain", byref(context), device)
        try:
            self.call("cuCtxSetCurrent", context)
        except CudaError:
            self.leave(device)
            raise

    def leave(self, device: int) -> None:
        """Gives the context back, which frees what it costs once nobody else in this process has it."""
        self._give_back("cuDevicePrimaryCtxRelease_v2", device)

    def allocate(self, size_bytes: int) -> int:
        """Memory of the current context's device, filled with a pattern; `free` gives it back."""
        address = c_uint64()
        self.call("cuMemAlloc_v2", byref(address), size_bytes)
        try:
            self.call("cuMemsetD32_v2", address, 0x3F9D70A4, size_bytes // 4)
        except CudaError:
            self.free(address.value)
            raise
        return address.value

    def free(self, address: int) -> None:
        """Gives memory back."""
        self._give_back("cuMemFree_v2", address)

    def stream(self) -> c_void_p:
        """A queue of work; `end` ends it."""
        stream = c_void_p()
        self.call("cuStreamCreate", byref(stream), 0)
        return stream

    def end(self, stream: c_void_p) -> None:
        """Ends a queue."""
        self._give_back("cuStreamDestroy_v2", stream)

    def event(self) -> c_void_p:
        """A mark in a queue; `forget` ends it."""
        event = c_void_p()
        self.call("cuEventCreate", byref(event), _BLOCKING_SYNC)
        return event

    def forget(self, event: c_void_p) -> None:
        """Ends a mark."""
        self._give_back("cuEventDestroy_v2", event)

    def _give_back(self, function: str, what: object) -> None:
        """A driver that fails at this has failed before, and takes all back when the process ends."""
        with suppress(CudaError):
            self.call(function, what)

    def _uuid(self, device: int) -> str:
        """Version 2, from CUDA 11.4 on, tells an instance of a shared-out GPU by its own name."""
        found = (c_char * 16)()
        try:
            self.call("cuDeviceGetUuid_v2", byref(found), device)
        except CudaError:
            self.call("cuDeviceGetUuid", byref(found), device)
        return found.raw.hex()


def bare(uuid: str) -> str:
    """The hexadecimal digits of a name such as "GPU-8f6c…" or "MIG-8f6c…"."""
    return uuid.partition("-")[2].replace("-", "").lower()

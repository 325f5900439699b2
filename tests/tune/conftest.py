"""The simulated NVML, and a model for a real engine."""

from ..hardware.conftest import build_nvml, install_nvml, nvml, nvml_library
from ..real.conftest import small_model

__all__ = ["build_nvml", "install_nvml", "nvml", "nvml_library", "small_model"]

"""Fitting the estimator's constants on published measurements."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""Matrices of this size are solved several times faster by one thread than by threads that wait for each other."""

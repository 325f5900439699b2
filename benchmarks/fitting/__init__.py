"""Fitting the estimator's constants on published measurements."""

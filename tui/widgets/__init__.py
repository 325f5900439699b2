"""The panels of the monitor, each a pure function of the snapshot."""

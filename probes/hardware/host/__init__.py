"""The machine, and what of it this process may use."""

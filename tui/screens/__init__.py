"""The screens that open above the monitor."""

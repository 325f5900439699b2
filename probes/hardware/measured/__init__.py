"""What memory sustains, measured when asked."""

"""Speed against the power limit, measured: points, their errors, which to take next, and which limit to choose."""

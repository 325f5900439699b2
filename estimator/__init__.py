"""What the numbers mean: ceilings, expectations and rates. Imports the probes' vocabulary only."""

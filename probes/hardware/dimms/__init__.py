"""How the main memory is populated."""

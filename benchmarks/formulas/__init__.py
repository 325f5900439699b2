"""How other tools predict tokens/s: one file each, written anew from what their sources state."""

"""Power limits: setting them, and giving them back whatever happens."""

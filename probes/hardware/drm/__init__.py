"""What graphics cards of all makers have in common under Linux."""

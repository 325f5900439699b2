"""What is known of devices, models and number formats: data files that a person can read and correct."""

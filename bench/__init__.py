"""Measurements: commands that print figures, and the made-up rows that they need."""

"""Fuzzing: the engine against a slow and obvious one, and properties under long budgets (`make fuzz`)."""

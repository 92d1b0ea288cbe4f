"""The record as pages: what was decided, why, what was never reported, and how much of each."""

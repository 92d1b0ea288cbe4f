"""Tokens that the services present to each other."""

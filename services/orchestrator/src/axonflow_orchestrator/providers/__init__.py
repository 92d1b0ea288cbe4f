"""Definitions of model providers: where they come from, who may change them, and how they do."""

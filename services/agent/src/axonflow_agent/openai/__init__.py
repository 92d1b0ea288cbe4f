"""The OpenAI-compatible gateway: one plane, an adapter around the governed call."""

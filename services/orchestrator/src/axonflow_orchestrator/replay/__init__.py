"""Decisions made again from their sealed inputs, and who has inputs sealed."""

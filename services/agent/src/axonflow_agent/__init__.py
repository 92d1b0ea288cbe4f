"""The one door for clients."""

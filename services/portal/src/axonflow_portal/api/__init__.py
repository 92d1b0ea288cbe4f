"""The portal's JSON."""

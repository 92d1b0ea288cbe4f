"""Dynamic policies: what tenants and organisations write, held compiled on every replica, and tried out."""

"""Pools, tenant-scoped transactions and migrations."""

"""Pools that give up the owner's rights, tenant-scoped transactions, and migrations."""

from axonflow_database.database import Database
from axonflow_database.errors import DatabaseUnavailable, MigrationError
from axonflow_database.follow import Follower
from axonflow_database.login import Connection, UnsafeLogin
from axonflow_database.migrate import migrate
from axonflow_database.partitions import make_partitions, partition_keeper
from axonflow_database.periodic import Periodic
from axonflow_database.roles import SYSTEM_ORG
from axonflow_database.secret import internal_secret, sealing_keys
from axonflow_database.tenants import Held, HeldByTenant, Prints

__all__ = [
    "SYSTEM_ORG",
    "Connection",
    "Database",
    "DatabaseUnavailable",
    "Follower",
    "Held",
    "HeldByTenant",
    "MigrationError",
    "Periodic",
    "Prints",
    "UnsafeLogin",
    "internal_secret",
    "make_partitions",
    "migrate",
    "partition_keeper",
    "sealing_keys",
]

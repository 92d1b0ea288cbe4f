"""A process that migrates the database it is told of, for tests of several that do so at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from axonflow_database import migrate
from axonflow_database.migrate import MIGRATIONS

from support.postgres import service_settings

if __name__ == "__main__":
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else MIGRATIONS
    migrate(service_settings(os.environ["DATABASE_URL"], ORG_ID=os.environ.get("ORG_ID", "org")), directory=directory)

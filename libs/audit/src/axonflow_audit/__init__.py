"""The one way in for audit rows: Postgres, else a synced file, then replay."""

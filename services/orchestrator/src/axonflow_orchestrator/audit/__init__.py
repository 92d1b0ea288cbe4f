"""The record, read by tenants and added to by reports of tool calls."""

"""Overrides of the product's own policies, for an organisation or one of its tenants."""

"""Price table as data, tokens to cost."""

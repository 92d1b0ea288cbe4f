"""The governed call: content to decision, one row, one span."""

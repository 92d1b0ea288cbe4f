"""Gateway Mode: a check before an application's own model call, a report after it, and what was never reported."""

"""Model Context Protocol: what is asked of connectors and tools, judged on the way there and on the way back."""

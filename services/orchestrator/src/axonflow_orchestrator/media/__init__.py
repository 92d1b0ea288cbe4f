"""Media governance: what is sent along with a prompt is proven, read, cleaned and judged before a model sees it."""

"""Who is calling: credentials in, `Caller` out."""

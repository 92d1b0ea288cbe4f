"""Static policies as clients and the portal read them. Writing them is not here."""

"""What people look at: templates, the words they use, and the endpoints that fill them."""

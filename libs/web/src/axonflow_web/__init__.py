"""Serving, error rendering, body limits and request hygiene."""

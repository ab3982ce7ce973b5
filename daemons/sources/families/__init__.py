"""Platforms that several systems share; the registry does not walk them."""

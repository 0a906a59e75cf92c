"""Pointsman routes each customer request to the right agent, before its deadline."""

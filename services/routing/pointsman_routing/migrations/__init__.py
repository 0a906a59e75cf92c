"""Alembic migrations of the schema `routing`."""

"""Telling people: what a ladder's step notifies (`item`), gathered into messages and sent."""

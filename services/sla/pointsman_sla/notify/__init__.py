"""Telling people: what a ladder's step notifies (`alerts.items`), gathered into messages and sent."""

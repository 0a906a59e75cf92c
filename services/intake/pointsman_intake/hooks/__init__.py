"""Providers' webhooks: how each proves itself (schemes), and what each says (slack, meta)."""

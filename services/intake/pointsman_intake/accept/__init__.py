"""Accepting: a group of arrivals becomes rows and facts in one transaction, as a handful of statements.

Locks are taken in one order everywhere (replay tokens, identities, customers, threads, messages, deliveries; within
each by key), so that two API processes that accept the same conversation wait for each other and never dead-lock.
"""

from pointsman_intake.accept.group import accept_group

__all__ = ["accept_group"]

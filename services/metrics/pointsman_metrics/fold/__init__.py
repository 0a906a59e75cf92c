"""Pure folds: facts of the desk and of sla into rows. The same facts in the same order give the same rows.

Desk facts fold into tickets and agents, sla facts into clocks; no row needs both topics, so that the order in which the
two topics are read makes no difference.
"""

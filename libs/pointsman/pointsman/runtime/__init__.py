"""The runtime: all shared I/O, with no word of what it carries.

Lanes own partitions by a lease in PostgreSQL; a batch is one fenced transaction; facts are numbered in it and relayed
afterwards. See docs/adr and ARCHITECTURE.md.
"""

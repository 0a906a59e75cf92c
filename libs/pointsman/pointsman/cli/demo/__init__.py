"""`pointsman demo`: a support day in half a minute, over real HTTP, with its own ledger of what must be true.

`document` is the workspace, `corpus` what customers write, `script` who writes when; `customers` and `agents` are the
processes that play connectors and agents' apps; `events` reads what Pointsman says happened and `checks` compares it
with the ledger; `screen` draws, `summary` sums up, `command` conducts.
"""

"""The desk: the routing state machine of one workspace. Pure, synchronous, journalled; no I/O and no clock.

`decide.decide(desk, cause, now)` is the door. Each rule of the desk has a module with its name; docs/glossary.md has
the words. What a decision costs is said in `state.waiting` (waiting tickets) and `state.roster` (agents).
"""

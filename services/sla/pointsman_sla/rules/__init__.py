"""What records, commands and timers mean for a lane's state, one rule a file.

How clocks join alerts and people take care of them (`alerting`), a ladder's steps (`ladder_run`), what a course leaves
in the state (`apply`), a merge, the end of a cover (`cover_end`), a recompute. Pure: what they need is gathered.
"""

"""Alerts: what they are (`model`), those of a lane (`book`), who is silenced (`silences`), and what is told of them
(`items`)."""

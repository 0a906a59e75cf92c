"""Alerts: what they are (`model`), those of a lane (`book`), and what a record or a timer does to them (`deciding`)."""

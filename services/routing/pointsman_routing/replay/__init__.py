"""What if: a recorded history once more, on the production desk, under another document or staffing.

`history` reads what was recorded, `drawing` says how long things last that were not recorded, `again` plays it on a
simulated floor, `comparing` sets the results side by side. docs/simulation.md is the user's page.
"""

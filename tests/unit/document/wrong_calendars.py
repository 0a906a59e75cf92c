"""Calendars with one mistake each: what is written, and the pointer and line with which it is told."""

HEAD = "workspace: acme\nagents: {anna: {}}\n"
OFFICE = "calendars:\n  office:\n    week: {mon: [['09:00', '18:00']]}\n"
"""The calendar itself stands from line 3 to 5."""
PROMISE = "sla:\n  policies:\n    - name: all\n      calendar: office\n      targets:\n        resolution:\n          "

WRONG: dict[str, tuple[str, str, int]] = {
    "unknown zone": (f"{OFFICE}    tz: Europe/Atlantis\n", "/calendars/office/tz", 6),
    "the host's own zone": (f"{OFFICE}    tz: localtime\n", "/calendars/office/tz", 6),
    "a path as a zone": (f"{OFFICE}    tz: ../../etc/passwd\n", "/calendars/office/tz", 6),
    "an unknown zone later": (f"{OFFICE}    from: {{'2027-01-01': {{tz: Mars/Olympus}}}}\n",
                              "/calendars/office/from/2027-01-01/tz", 6),
    "unknown workspace zone": ("timezone: Europe/Roma\n", "/timezone", 3),
    "overlapping spans": ("calendars:\n  office:\n    week:\n      tue: [['09:00', '13:00'], ['12:00', '18:00']]\n",
                          "/calendars/office/week/tue", 6),
    "a night into the morning": (
        "calendars:\n  office:\n    week:\n      sun: [['22:00', '06:00']]\n      mon: [['05:00', '09:00']]\n",
        "/calendars/office/week/mon/0", 7),
    "the same from a date on": (
        f"{OFFICE}    from:\n      2027-01-01:\n"
        "        week: {mon: [['20:00', '03:00']], tue: [['02:00', '04:00']]}\n",
        "/calendars/office/from/2027-01-01/week/tue/0", 8),
    "a span of no time": ("calendars:\n  office:\n    week:\n      mon: [['09:00', '09:00']]\n",
                          "/calendars/office/week/mon", 6),
    "a time that is none": ("calendars:\n  office:\n    week:\n      mon: [['09:00', '25:00']]\n",
                            "/calendars/office/week/mon/0/1", 6),
    "an unknown weekday": (f"{OFFICE}    days: {{}}\n    week_: {{}}\n", "/calendars/office/week_", 7),
    "a date that does not exist": (f"{OFFICE}    holidays: [2026-12-25, 2026-02-29]\n",
                                   "/calendars/office/holidays/1", 6),
    "a yearly date that does not exist": (f"{OFFICE}    holidays: ['02-29', '02-30']\n",
                                          "/calendars/office/holidays/1", 6),
    "a date twice": (f"{OFFICE}    holidays:\n      - '12-25'\n      - 2026-12-25\n      - '12-25'\n",
                     "/calendars/office/holidays/2", 9),
    "a special day twice": (f"{OFFICE}    days:\n      2026-12-24: []\n      2026-12-24: []\n",
                            "/calendars/office/days/2026-12-24", 8),
    "a special day that does not exist": (f"{OFFICE}    days: {{'2026-11-31': []}}\n",
                                          "/calendars/office/days/2026-11-31", 6),
    "a calendar that never opens": ("calendars:\n  office:\n    week: {mon: []}\n", "/calendars/office", 4),
    "one with holidays only": ("calendars:\n  office:\n    ical: {text: 'BEGIN:VCALENDAR'}\n", "/calendars/office", 4),
    "a target where it shuts for good": (
        f"{OFFICE}    from: {{'2027-01-01': {{week: {{}}}}}}\n{PROMISE}default: 3600\n",
        "/sla/policies/0/targets/resolution/default", 13),
    "a target where only single days open": (
        "calendars:\n  office:\n    days: {'2026-12-24': [['09:00', '10:00']]}\n" + f"{PROMISE}urgent: 3600\n",
        "/sla/policies/0/targets/resolution/urgent", 12),
    "a target of centuries": (
        "calendars:\n  office:\n    week: {mon: [['09:00', '09:01']]}\n" + f"{PROMISE}default: 864000\n",
        "/sla/policies/0/targets/resolution/default", 12),
    "a negative target": (f"{OFFICE}{PROMISE}default: -60\n", "/sla/policies/0/targets/resolution/default", 12),
    "a target of nothing": (f"{OFFICE}{PROMISE}default: 0\n", "/sla/policies/0/targets/resolution/default", 12),
    "an enormous target": (f"{OFFICE}{PROMISE}default: 999999999999\n",
                           "/sla/policies/0/targets/resolution/default", 12),
    "an unknown country": (f"{OFFICE}    holidays_of: {{country: XX}}\n", "/calendars/office/holidays_of/country", 6),
    "an unknown subdivision": (f"{OFFICE}    holidays_of:\n      country: IT\n      subdivision: BY\n",
                               "/calendars/office/holidays_of/subdivision", 8),
    "a holiday file that is none": (f"{OFFICE}    ical: {{text: '<html>Sign in</html>'}}\n",
                                    "/calendars/office/ical/text", 6),
    "a holiday file without its text": (f"{OFFICE}    ical: {{}}\n", "/calendars/office/ical", 6),
    "events that never end within a day": (
        f"{OFFICE}    ical:\n      text: |\n        BEGIN:VCALENDAR\n        BEGIN:VEVENT\n"
        "        DTSTART:20261225T000000Z\n"
        "        RRULE:FREQ=MINUTELY\n        END:VEVENT\n        END:VCALENDAR\n",
        "/calendars/office/ical/text", 7),
}  # fmt: skip

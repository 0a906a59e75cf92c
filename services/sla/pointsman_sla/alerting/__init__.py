"""How people reach alerts: over HTTP (`api`), by the links in notifications (`links`), on the command line (`cli`)."""

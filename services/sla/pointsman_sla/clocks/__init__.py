"""Clocks: which promise a ticket has (`policy`), what its clocks are (`model`), when their points fall (`points`), how
facts move them (`course` and `lifecycle`) and what firing a point means (`firing`). Pure."""

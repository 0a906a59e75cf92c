"""How a command ends when it cannot do what it was asked."""


class CommandFailed(Exception):
    """The check or the action failed: one line that says what. Exit code 1."""


class WrongInput(Exception):
    """Wrong usage or input: one line that says what and where. Exit code 2."""

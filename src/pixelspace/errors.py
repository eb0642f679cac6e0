"""The one kind of error that is the user's to mend."""


class UserError(Exception):
    """Bad input. The message is one line: what is wrong, where, and what to do."""

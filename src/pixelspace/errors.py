"""The one kind of error that is the user's to mend."""

LONGEST = 4000
"""Characters of a message, at most; some name a value, which may be of any length."""


class UserError(Exception):
    """Bad input. The message is one line: what is wrong, where, and what to do."""

    def __str__(self) -> str:
        """Return the message; what would break its line, or steer a terminal, as escapes."""
        text = printable(super().__str__())
        half = LONGEST // 2
        return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half:]}"


def printable(text: str) -> str:
    """Return a text with escapes, such as ``\\n``, for the characters that do not print."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

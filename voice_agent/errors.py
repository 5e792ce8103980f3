"""The one error that a user is meant to read, and two that the rooms tell each other.

Anything raised as `UnusableInput` ends a command with exit status 2 and its sentence on standard error; everything else
is a bug and shows a traceback. Standard library only.
"""


class UnusableInput(Exception):
    """The input or the environment cannot be used: one sentence that says what is wrong, where, and what to do."""


class DeviceLost(Exception):
    """A sound device that worked has gone (unplugged, server stopped); opening one again may help."""


class PartFailed(Exception):
    """A part broke in the middle of a conversation, which ends with what was written so far. `part` names it."""

    def __init__(self, part: str, error: BaseException) -> None:
        super().__init__(f"{part}: {type(error).__name__}: {error}")
        self.part = part

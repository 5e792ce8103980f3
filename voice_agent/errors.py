"""The one error that a user is meant to read.

Anything raised as `UnusableInput` ends a command with exit status 2 and its sentence on standard error; everything else
is a bug and shows a traceback. Standard library only.
"""


class UnusableInput(Exception):
    """The input or the environment cannot be used: one sentence that says what is wrong, where, and what to do."""

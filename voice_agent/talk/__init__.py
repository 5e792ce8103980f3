"""A live conversation through microphone, loudspeaker and terminal.

session.py     run_talk: devices, models, the conversation, what it leaves in a folder
devices.py     which microphone and loudspeaker, checked before anything is loaded
live_sound.py  microphone and loudspeaker on their way into the recording and the level meter
keyboard.py    typed characters become lines
screen.py      what the trace means for who watches: pure
terminal.py    how that looks, on a terminal and in a log
"""

from .session import run_talk

__all__ = ["run_talk"]

"""Typed characters become lines, without disturbing a picture that is redrawn.

    LineEditor.push(characters) -> complete lines; `.text` is the unfinished one      (pure)
    with typing(stream, push): ...                                                     a thread reads, the loop is told

On a terminal the characters are not echoed (the view shows them) and come one by one; Ctrl-C still interrupts. The
terminal is put back as it was on every way out.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import select
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

END_OF_INPUT = "\x04"  # Ctrl-D
_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|[^\[O\x00-\x1f\x7f])")  # arrow and function keys, Alt with a letter
_UNFINISHED_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*|O)?\Z")
_LFLAG, _IFLAG, _CC = 3, 0, 6  # places in what tcgetattr returns


@dataclass
class LineEditor:
    """One line being typed: backspace, Ctrl-U (clear), Ctrl-W (drop a word); Ctrl-D on an empty line is "/quit"."""

    text: str = ""
    _held: str = ""  # the beginning of an escape sequence

    def push(self, typed: str) -> list[str]:
        """Take characters in; the lines they complete, without those that are blank."""
        typed = _ESCAPE.sub("", self._held + typed)
        unfinished = _UNFINISHED_ESCAPE.search(typed)
        self._held = unfinished[0] if unfinished else ""
        lines = []
        for letter in typed[: len(typed) - len(self._held)]:
            if letter in "\r\n":
                lines.append(self.text.strip())
                self.text = ""
            else:
                self.text = self._edited(letter)
                if letter == END_OF_INPUT and not self.text:
                    lines.append("/quit")
        return [line for line in lines if line]

    def _edited(self, letter: str) -> str:
        match letter:
            case "\x7f" | "\b":
                return self.text[:-1]
            case "\x15":
                return ""
            case "\x17":
                return self.text.rstrip().rpartition(" ")[0]
        return self.text + letter if letter.isprintable() else self.text


@contextlib.contextmanager
def typing(stream: TextIO | None, push: Callable[[str], None]) -> Iterator[None]:
    """Call `push` on the running event loop with whatever is typed into `stream`, until the block ends."""
    descriptor = _descriptor(stream)
    if descriptor is None:
        yield
        return
    ended, end = os.pipe()
    # A thread, because the event loop cannot watch a regular file or /dev/null.
    reader = threading.Thread(target=_read, args=(descriptor, ended, asyncio.get_running_loop(), push), name="keyboard")
    with _unbuffered(descriptor) if os.isatty(descriptor) else contextlib.nullcontext():
        reader.start()
        try:
            yield
        finally:
            os.close(end)
            reader.join()
            os.close(ended)


def _descriptor(stream: TextIO | None) -> int | None:
    try:
        return stream.fileno() if stream is not None else None
    except (OSError, ValueError):  # closed, or no file at all
        return None


@contextlib.contextmanager
def _unbuffered(descriptor: int) -> Iterator[None]:
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        now = termios.tcgetattr(descriptor)
        now[_IFLAG] &= ~termios.IXON  # Ctrl-S would stop the picture, and with it the conversation
        now[_CC][termios.VSUSP] = b"\0"  # Ctrl-Z too: a suspended sound card is a lost one
        termios.tcsetattr(descriptor, termios.TCSADRAIN, now)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read(descriptor: int, ended: int, loop: asyncio.AbstractEventLoop, push: Callable[[str], None]) -> None:
    """Until the input ends or is gone, or the other end of the pipe `ended` is closed."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with contextlib.suppress(OSError):
        while ended not in select.select([descriptor, ended], [], [])[0]:
            typed = os.read(descriptor, 4096)
            if not typed:
                return
            loop.call_soon_threadsafe(push, decoder.decode(typed))

"""What was said in earlier turns, as the next turn reads it.

Of a finished turn the dialogue keeps the user's words and what of the answer *sounded*; thoughts are dropped, or kept
where the settings say so. Remarks that were made while it was being thought are left out where the result sounded: a
thinker that reads them takes them for the way to answer, and remarks in place of reasoning. The turns are re-encoded
compactly into one block behind the preamble. When they outgrow their room the oldest leave, until half of it is free:
what is left must be read again, which so happens once in many turns.
"""

from __future__ import annotations

from dataclasses import dataclass

from .cache_block import CacheBlock
from .cache_view import View
from .prompts import Prompts


@dataclass
class PastTurn:
    user: str
    spoken: str
    thoughts: str = ""  # none where they are dropped
    remarks: int = 0  # characters at the beginning of `spoken` that come before the result

    @property
    def told(self) -> str:
        """What of `spoken` the next turn reads."""
        return (self.spoken[self.remarks :].lstrip() if self.remarks else "") or self.spoken


class Dialogue:
    """Past turns and the block that holds them; `room` is the most tokens the block may take."""

    def __init__(self, preamble: CacheBlock, prompts: Prompts, room: int) -> None:
        self.block = preamble.arena.new_block("dialogue")
        self._view = View((preamble, self.block))
        self._prompts = prompts
        self._room = room
        self._turns: list[PastTurn] = []

    @property
    def last(self) -> PastTurn | None:
        return self._turns[-1] if self._turns else None

    def add(self, user: str, spoken: str, thoughts: str = "", remarks: int = 0) -> None:
        """A turn is over."""
        self._turns.append(PastTurn(user, spoken, thoughts, remarks))

    def release(self) -> None:
        """Give the block back; nothing may be read any more."""
        self.block.arena.release(self.block)

    def forget(self) -> None:
        """There are no past turns; the block is cut when it is next read."""
        self._turns.clear()

    def unread(self) -> tuple[View, list[int]]:
        """The view that writes the block, and the tokens that have yet to be read into it.

        Cuts the block back where the past has changed since (an answer turned out to have been heard only in part) and
        lets the oldest turns go when all of them would not fit.
        """
        tokens = self._tokens()
        if len(tokens) > self._room:
            tokens = self._without_the_oldest()
        return self._view, self.block.keep(tokens)

    def _without_the_oldest(self) -> list[int]:
        """Half the room is enough for what stays; the last turn may have all of it."""
        while len(tokens := self._tokens()) > self._room // 2 and len(self._turns) > 1:
            del self._turns[0]
        if len(tokens) > self._room:
            self._turns.clear()
        return self._tokens()

    def _tokens(self) -> list[int]:
        past_turn = self._prompts.past_turn
        return [token for turn in self._turns for token in past_turn(turn.user, turn.told, turn.thoughts)]

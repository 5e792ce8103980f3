"""The spoken stream: utterances opened by cues, and which of their words may already be given out.

An answer opens with what was understood of the question. While the thoughts go on, an utterance is one sentence about
what is being worked out; when they are complete, the result is said. A word is given out when it can no longer grow or
be taken back. A number that stands neither in what the user said nor in the thoughts is taken back before it is given
out, and the writer waits for the thoughts to reach it. Before it may speak, the next utterance can be drafted: it is
written and held, so that it is there when it may.

    take(token, known numbers) -> Taken(written text, what to do next);  release() -> the same, of a draft
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from ..sentences import SENTENCE_BREAK
from .cache_view import View
from .prompts import Prompts
from .stated_numbers import may_grow, number_spans
from .stream import Stream

SENTENCE_END = re.compile(r"[.!?][\"')\]]*(?:\s+|$)")
ANOTHER_ENOUGH = 0.25  # share of words that no earlier sentence had, from which on a sentence is news
Cue = Literal["opening", "progress", "conclude", "correct", "refuse", "direct"]


@dataclass(frozen=True)
class Taken:
    """What became of a chosen token: text that may be voiced, and whether the utterance is over or must wait."""

    written: str
    then: Literal["go on", "over", "wait"]


class Writer:
    """The stream that is voiced. `done`: the answer's last word has been written."""

    def __init__(self, view: View, cue: Cue, prompts: Prompts, tokenizer: Any) -> None:
        self._prompts = prompts
        self._cues = {
            "progress": prompts.progress_cue,
            "correct": prompts.correct_cue,
            "refuse": prompts.refuse_cue,
            "direct": prompts.direct_cue,
        }
        self.stream = Stream(view, self._first(self._asked(cue), cue), tokenizer)
        self.cue = cue
        self.done = False
        self.given = 0  # characters of the text that were given out
        self.heard = 0  # length of the text when words last came in: after them everything is news
        self._start = 0  # where the current utterance begins in the text
        self._open = True  # a cue stands and its utterance is not over
        self._standing = 0  # tokens of a cue that was opened in mid-stream and led to no word yet
        self.drafted = False  # the utterance is whole, and none of it was given out
        self.repeating = False  # the last utterance was dropped: it had been said before, or was broken off

    @property
    def text(self) -> str:
        return self.stream.text

    @property
    def spoken(self) -> str:
        """The text as far as it was given out."""
        return self.text[: self.given]

    @property
    def remarks(self) -> int:
        """Characters of the text before the answer's last utterance; all of them where none was begun."""
        return self._start if self.concluding else self.given

    @property
    def concluding(self) -> bool:
        """The utterance that is written, or comes next, is the answer's last."""
        return self.cue not in ("opening", "progress")

    @property
    def _must_be_whole(self) -> bool:
        """The first progress is given out word by word, for early sound; later ones whole, if they are news."""
        return not self.concluding and self._start > 0

    @property
    def _said_before(self) -> str:
        return self.text[self.heard : self._start]

    @property
    def mid_utterance(self) -> bool:
        return self._open and len(self.text) > self._start

    @property
    def holds_draft(self) -> bool:
        """Words of a progress were written, as a draft or to be given out whole, and none of them was given out."""
        return not self.concluding and self.mid_utterance and not self.aloud

    @property
    def aloud(self) -> bool:
        """The first words of the utterance were given out: the others must follow."""
        return self.mid_utterance and self.given > self._start

    def open(self, cue: Cue, quoted: str = "") -> None:
        """Make ready for the next utterance; one that has begun is finished first.

        quoted: before an opening the question, where it could take another one for it; before the conclusion the
        thoughts, where remarks stand between.
        """
        if self.mid_utterance:
            return
        if not self._open or self.cue != cue:
            self._put(self._asked(cue, quoted), cue)
        self.cue, self._start, self._open = cue, len(self.text), True
        for token in {"opening": self._prompts.opened, "correct": self._prompts.correcting}.get(cue, ()):
            self.stream.sample(token)

    @property
    def untouched(self) -> bool:
        """Nothing stands behind the first cue, which may still be another one."""
        return not self.text and not self.stream.interjected

    @property
    def given_tokens(self) -> int:
        """Tokens of the block that others may read as said: without a draft and the cue that it stands behind."""
        within = len(self.stream.tokens_within(self.given))
        return within - self._standing if self.holds_draft or self.stream.fresh else within

    def _asked(self, cue: Cue, quoted: str = "") -> Sequence[int]:
        if cue == "opening":
            return self._prompts.opening_cue(quoted)
        return self._prompts.concluding_cue(quoted) if cue == "conclude" else self._cues[cue]

    def _put(self, tokens: Sequence[int], cue: Cue) -> None:
        """The cue's tokens behind what was written; one that led to no word makes room for it."""
        if self._standing and self.stream.fresh:
            self.stream.take_back(self._standing)
        if self.untouched:
            self.stream.reopen(self._first(tokens, cue))
        else:
            self.stream.interject(tokens)
            self._standing = len(tokens)

    def say(self, words: Sequence[int]) -> str:
        """A whole utterance that is given, not chosen; what was being written is dropped. Returns the text to voice.

        A direct answer, which is one utterance, goes on behind it.
        """
        self.drop()
        direct = self.cue == "direct"
        if not direct:
            self.open("progress")
        for token in words:
            self.stream.sample(token)
        self.stream.end_sentence()
        self.stream.choose_again()
        self._open, self._start = direct, len(self.text) if direct else self._start
        return self._give_out(len(self.text))

    def drop(self) -> None:
        """What was not given out is not said, and its utterance is over."""
        self.stream.rewind(self.given)
        self._start, self._open, self.done, self.drafted = len(self.text), False, False, False

    def hear(self, words: Sequence[int]) -> None:
        """The user's words as a turn of their own, then the next utterance's cue; what was held back is dropped.

        words: none where the user was heard elsewhere; the next utterance then gets its cue when it is opened.
        """
        direct = self.cue == "direct"
        self.stream.rewind(self.given)
        self._open = bool(words) and (bool(self.text) or direct)
        if self._open:
            self.stream.interject(self._prompts.heard_by_writer(words, resume=direct))
            self._standing = 0
        self.done = self.drafted = False
        self.cue = "direct" if direct else "progress"
        self._start = self.heard = len(self.text)

    def cut(self, length: int) -> None:
        """Keep the first `length` characters; a progress or conclusion that had begun is over."""
        while length < self.given and self.text[length].isspace():
            length += 1
        self.stream.rewind(length)
        cue_stands = self.stream.fresh and len(self.text) == self._start
        self._open = cue_stands or self.cue == "direct"
        self._standing = self._standing if cue_stands else 0
        self.given = self._start = len(self.text)
        self.done = self.drafted = False

    def take(self, token: int, ends: bool, known: set[Fraction] | None, hold: bool = False) -> Taken:
        """A token was chosen for this stream.

        ends: it is an end-of-sequence token. known: numbers that may be said; None: all of them. hold: it is drafted.
        """
        if not ends:
            self.stream.sample(token)
        end = len(self.text) if ends else None if self.concluding else sentence_end(self.text, self._start)
        ahead = None if known is None else self._first_number_ahead(known, end)
        if ahead is not None:
            self.stream.rewind(ahead)
            return Taken("" if hold or self._must_be_whole else self._give_out(len(self.text)), "wait")
        if end is not None:
            if end < len(self.text):
                self.stream.rewind(end)  # the beginning of another sentence
            return self._over(hold)
        return Taken("" if hold else self._words_so_far(), "go on")

    def release(self) -> Taken:
        """What was drafted may be given out now."""
        if self.drafted:
            return self._over()
        return Taken(self._words_so_far(), "go on")

    def discard_draft(self) -> None:
        """What was drafted is not said; its cue still stands."""
        if len(self.text) > self.given:
            self.stream.rewind(self.given)
        self.drafted = False

    def break_off(self) -> str:
        """No more words will come: the rest that was held back."""
        self.done = True
        return self._give_out(len(self.text))

    def before_last_utterance(self) -> list[int]:
        """The tokens behind which the last utterance began, its cue included."""
        return self.stream.tokens_within(self._start)

    def _first(self, tokens: Sequence[int], cue: Cue) -> list[int]:
        """The cue as it stands right behind the thoughts."""
        return [*(self._prompts.close_thoughts if cue != "direct" else []), *tokens]

    def _over(self, hold: bool = False) -> Taken:
        self._open = self.drafted = False
        self.done = self.concluding
        said, before = self.text[self._start :], self._said_before
        broken_off = sentence_end(said, 0) is None  # a model copies the end that an interruption gave its last sentence
        self.repeating = self._must_be_whole and (broken_off or says_again(said, before))
        if self.repeating:
            self.stream.rewind(self._start)
            self._open = True  # the cue still stands
        elif hold and said:
            self._open = self.drafted = True
            return Taken("", "go on")
        elif self.done and repeats(said, before):
            self.stream.rewind(self._start)
        elif not self.done:
            self.stream.end_sentence()
        return Taken(self._give_out(len(self.text)), "over")

    def _first_number_ahead(self, known: set[Fraction], end: int | None) -> int | None:
        """Where the first number begins that is complete, not given out and not known; the utterance ends at `end`."""
        text = self.text[:end]
        for start, stop, value in number_spans(text):
            complete = end is not None or not may_grow(text, stop)
            if self.given <= start and complete and value not in known:
                return start
        return None

    def _words_so_far(self) -> str:
        """The whole words of an utterance that goes on, where they may be given out one by one."""
        whole = self._whole_words()
        held = self._must_be_whole or repeats(self.text[self._start : whole], self._said_before)
        return "" if held else self._give_out(whole)

    def _whole_words(self) -> int:
        """Length of the text without a word or number that may still grow or be taken back."""
        text = self.text
        end = max(text.rfind(" "), text.rfind("\n")) + 1
        return min([end, *(start for start, stop, _ in number_spans(text) if may_grow(text, stop))])

    def _give_out(self, length: int) -> str:
        """Whole tokens only, so that no later cut takes back what was given."""
        start, self.given = self.given, max(self.given, self.stream.boundary(length))
        return self.text[start : self.given]


def sentence_end(text: str, start: int) -> int | None:
    """Where the sentence that begins at `start` ends, the space behind it included; None while it goes on."""
    for match in SENTENCE_END.finditer(text, start):
        may_be_decimal = match.group() == "." and match.end() == len(text) and text[match.start() - 1].isdigit()
        numbers_a_list = not any(character.isalpha() for character in text[start : match.start()])
        if not may_be_decimal and not numbers_a_list:
            return match.end()
    return None


def says_again(sentence: str, before: str) -> bool:
    """Whether a sentence adds next to nothing to one that was said before."""
    words = set(_words(sentence))
    said = [set(_words(earlier)) for earlier in _sentences(before)]
    return not words or any(len(words - earlier) <= ANOTHER_ENOUGH * len(words) for earlier in said)


def repeats(words: str, before: str) -> bool:
    """Whether these are the very words with which an earlier sentence began: then it may be said a second time."""
    begun = _words(words)
    return bool(before) and any(_words(earlier)[: len(begun)] == begun for earlier in _sentences(before))


def _sentences(text: str) -> list[str]:
    return SENTENCE_BREAK.split(text.strip())


def _words(text: str) -> list[str]:
    return re.findall(r"[\w.]*\w", text.lower())

"""Everything the model is told, and the chat template it is told in.

    tokenizer -> ChatFormat (template text between the parts of a chat) -> Prompts (tokens of every cue)

The template text comes from the tokenizer's own chat template, rendered around marks; so any template works that
keeps system, user and assistant text apart. What the user said is tokenised with special tokens off: speech or text can
never become `<|im_end|>`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from ..sentences import SENTENCE_BREAK
from .rotation import UnsupportedModel

SYSTEM = (
    "You are a helpful voice assistant. When you reason, work step by step, briefly and exactly. "
    "When you speak, use one or two short plain sentences, as one talks: no lists, no formulas, no markdown. "
    "When the user corrects something, go on with the corrected value."
)
REASON = "\n\nReason step by step, with the numbers."
RESTATE = "With this, the question is now:"  # the thinker goes on from here: saying the question over, it forgets less
NOTICE = (
    '\n\nWait, the user has just said: "',
    '" Step by step again, with that:',
)  # the words stand in the question too
VERIFIED = "\n\n(The user has verified this.)"  # reasoning models tend to doubt what comes in late
AT_ONCE = "\n\nSpeak the answer at once."
OPENING = "What do I want to know? One short sentence."
QUOTED = ('I have just asked: "', '" ')  # or a small model tells an earlier question of the dialogue
QUOTED_TOKENS = 32  # of the question, at most
OPENED = "You want to know"  # how the answer to that begins: soon said, and it tells what was understood
PROGRESS = "Think aloud: one short sentence about what you are doing now, without the result."
CONCLUDE = "Now speak to me: give your final reply, in one or two short sentences, without the way to it."
FOUND = ('You have come to this: "', '" ')  # before it, or a small model goes on in the manner of its remarks
FOUND_WORDS, FOUND_TOKENS = 8, 48  # of the thoughts' end: so many sentences as hold the first, at most the second
CORRECT = "Something that you said aloud was wrong. Say what is right, in one short sentence."
CORRECTING = "Actually,"  # how the correction begins
REFUSE = "Say in one short sentence that you cannot help with this."
REFUSALS = ("I'm sorry", "I cannot", "I can't", "Sorry", "Unfortunately")  # how a refusal begins
FILLER = "Let me think about that."  # voiced at once in mode "direct-filler"
WOULD_SAY = (
    "Now answer my question aloud, in one or two short sentences."  # how it would begin tells if it would refuse
)
QUESTION = "Have you found something new to say? Yes or no?"
OVERHEARD = (  # behind this it shows how likely words are that are for somebody else
    "The family talks, somebody telephones, the television is on. What do you hear?",
    'I hear: "',
)
YES = ("Yes", " Yes", "yes", " yes", "YES")
NO = ("No", " No", "no", " no", "NO")

_CONTROL = re.compile(r"<.+>|\[.+\]")  # how the tokens look that steer a model
_MARKS = ("\u2460system\u2460", "\u2461user\u2461", "\u2462assistant\u2462", "\u2463user\u2463")


def wording() -> str:
    """A fingerprint of every text above: answers given to other ones are not to be counted together."""
    told = {name: str(value) for name, value in globals().items() if name.isupper() and not name.startswith("_")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("utf-8")).hexdigest()[:16]


@dataclass(frozen=True)
class ChatFormat:
    """Template text around the parts of a chat.

    opening SYSTEM to_user USER to_assistant ASSISTANT to_next_user USER ... USER generation; `thinks` tells whether the
    model reasons between <think> and </think> of its own accord.
    """

    opening: str
    to_user: str
    to_assistant: str
    to_next_user: str
    generation: str
    thinks: bool

    @classmethod
    def of(cls, tokenizer: Any) -> ChatFormat:
        """Read the tokenizer's chat template.

        Raises:
            UnsupportedModel: there is none, or it does not keep the parts of a chat.
        """
        if not getattr(tokenizer, "chat_template", None):
            raise UnsupportedModel(
                "the tokenizer has no chat template, so the model cannot be asked anything: "
                "choose an instruction-tuned model"
            )
        system, user, assistant, next_user = _MARKS
        turns = [
            {"role": "user", "content": user},
            {"role": "assistant", "content": assistant},
            {"role": "user", "content": next_user},
        ]
        for messages in ([{"role": "system", "content": system}, *turns], _system_in_user(turns, system)):
            try:
                text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            except TemplateError:  # some templates refuse a system turn
                continue
            if all(text.count(mark) == 1 for mark in _MARKS):
                opening, to_user, to_assistant, to_next_user, generation = _between(text, _MARKS)
                thinks = "<think>" in tokenizer.chat_template
                return cls(opening, to_user, to_assistant, to_next_user, generation, thinks)
        raise UnsupportedModel("the tokenizer's chat template drops or repeats parts of a chat: choose another model")


def _system_in_user(turns: list[dict[str, str]], system: str) -> list[dict[str, str]]:
    first = {"role": "user", "content": f"{system}\n\n{turns[0]['content']}"}
    return [first, *turns[1:]]


def _between(text: str, marks: tuple[str, ...]) -> list[str]:
    parts = []
    for mark in marks:
        before, _, text = text.partition(mark)
        parts.append(before)
    return [*parts, text]


class Prompts:
    """The tokens of every cue for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.format = ChatFormat.of(tokenizer)
        f = self.format
        opens_think = "" if not f.thinks or "<think>" in f.generation else "<think>\n"
        closes_think = "\n</think>\n\n" if f.thinks else ""
        speaks = f.to_assistant + ("<think>\n\n</think>\n\n" if f.thinks else "")  # a turn without thoughts
        self.preamble = self._template(f.opening + SYSTEM + f.to_user)
        self.think_cue = self._template(("" if f.thinks else REASON) + f.generation + opens_think)
        self.think_cue_behind_spoken = self._template(f.to_next_user + REASON.strip() + f.generation + opens_think)
        self._restate = self._template(RESTATE)
        self._notice = [self._template(part) for part in NOTICE]
        self.verified = self._template(VERIFIED)
        self.direct_cue = self._template(AT_ONCE + f.generation + opens_think + closes_think)
        self.close_thoughts = self._template(closes_think)
        self._speaks = speaks
        self._opening = self._template(f.to_next_user + OPENING + speaks)
        self.opened = self._template(OPENED)
        self.progress_cue = self._template(f.to_next_user + PROGRESS + speaks)
        self.conclude_cue = self._template(f.to_next_user + CONCLUDE + speaks)
        self.correct_cue = self._template(f.to_next_user + CORRECT + speaks)
        self.correcting = self._template(CORRECTING)
        self.refuse_cue = self._template(f.to_next_user + REFUSE + speaks)
        self.would_say = self._template(f.to_next_user + WOULD_SAY + speaks)
        self.refusals = sorted({self._template(refusal)[0] for refusal in REFUSALS})
        self.question = self._template(f.to_next_user + QUESTION + speaks)
        self.thoughts_break = self._template(closes_think + f.to_next_user)
        self.spoken_break = self._template(f.to_next_user)
        self.overheard = self._template(OVERHEARD[0] + speaks + OVERHEARD[1])
        self._spoken_resume = self._template(speaks)
        self._spoken_progress = self._template("\n\n" + PROGRESS + speaks)
        self.think_end = frozenset(self._single_tokens(("</think>",))) if f.thinks else frozenset()
        self.yes = self._single_tokens(YES)
        self.no = self._single_tokens(NO)
        added = tokenizer.added_tokens_decoder
        self.control = frozenset(i for i, t in added.items() if t.special or _CONTROL.fullmatch(t.content))
        unsplit = [re.escape(t.content) for t in added.values() if not t.special and len(t.content) > 1]
        self._unsplit = re.compile("|".join(unsplit)) if unsplit else None

    def words(self, text: str) -> list[int]:
        """What the user said, as plain text whatever it contains."""
        tokens: list[int] = []
        start = 0
        # Some (<think>, <tool_call>) are no special tokens to the tokenizer, so it would not split them.
        while self._unsplit is not None and (found := self._unsplit.search(text, start)):
            tokens += self._plain(text[start : found.start() + 1])
            start = found.start() + 1
        return tokens + self._plain(text[start:])

    def opening_cue(self, quoted: str = "") -> list[int]:
        """What the first words of an answer are asked with.

        quoted: the question, of which the last sentence that asks stands in the cue; "": it is the only one there is.
        """
        if not quoted:
            return self._opening
        sentences = SENTENCE_BREAK.split(quoted.strip())
        asking = [sentence for sentence in sentences if sentence.endswith("?")] or sentences
        return self._quoting(QUOTED, asking[-1], QUOTED_TOKENS, OPENING)

    def concluding_cue(self, thoughts: str = "") -> list[int]:
        """What the last words of an answer are asked with.

        thoughts: complete ones, whose last sentences stand in the cue; "": only what was thought stands before it.
        """
        found = ""
        for sentence in reversed(re.findall(r"\S.*?(?:[.!?:](?=\s)|$)", thoughts, re.MULTILINE)):
            found = f"{sentence} {found}".strip()
            if len(found.split()) >= FOUND_WORDS:
                break
        if not found:
            return self.conclude_cue
        return self._quoting(FOUND, found, FOUND_TOKENS, CONCLUDE)

    def heard_by_thinker(self, words: Sequence[int]) -> list[int]:
        """Words of the user as a turn of their own within the thoughts, which go on after it."""
        return [*self.thoughts_break, *words, *self.think_cue, *self._restate]

    def noticed_by_thinker(self, words: Sequence[int]) -> list[int]:
        """The same where the words stand in the question already: the thoughts quote them and go on."""
        return [*self._notice[0], *words, *self._notice[1]]

    def heard_by_writer(self, words: Sequence[int], *, resume: bool) -> list[int]:
        """The same within what is spoken; `resume`: the answer goes on, else the next progress is asked for."""
        return [*self.spoken_break, *words, *(self._spoken_resume if resume else self._spoken_progress)]

    def past_turn(self, user: str, spoken: str, thoughts: str = "") -> list[int]:
        """A finished turn as the next one reads it; ends where the next user's words begin."""
        thought = [*self.think_cue, *self.words(thoughts), *self.close_thoughts, *self.conclude_cue]
        return [
            *self.words(user),
            *(thought if thoughts else self._template(self.format.to_assistant)),
            *self.words(spoken),
            *self._template(self.format.to_next_user),
        ]

    def _quoting(self, around: tuple[str, str], text: str, most_tokens: int, ask: str) -> list[int]:
        """A cue that asks behind the end of a text, quoted; `around` stands before and behind the quotation."""
        before, after = self.format.to_next_user + around[0], around[1] + ask + self._speaks
        return [*self._template(before), *self.words(text)[-most_tokens:], *self._template(after)]

    def _plain(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids)

    def _template(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _single_tokens(self, spellings: tuple[str, ...]) -> list[int]:
        encoded = (self._template(spelling) for spelling in spellings)
        return sorted({tokens[0] for tokens in encoded if len(tokens) == 1})


def stop_tokens(tokenizer: Any, model: Any) -> frozenset[int]:
    """Tokens that end a stream: the tokenizer's and the generation config's end-of-sequence tokens."""
    configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ids = configured if isinstance(configured, list) else [configured]
    return frozenset(i for i in [tokenizer.eos_token_id, *ids] if i is not None)

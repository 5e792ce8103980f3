"""Were words spoken over an answer meant for somebody else: family, a telephone, the television? Pure.

    is_for_others(text, what was being played)   -> True where the words say so beyond doubt
    may_be_for_others(text, what is spoken about) -> True where they do not say that they were for the assistant

A correction that is lost costs more than a sentence too many in the thoughts, so the rules are few and narrow, and
words that could concern the answer (a number, a contradiction, a stop word, a word that it uses) are never for others.
Between what the two tell, the floor asks the language model how much they belong to what it is thinking about.
"""

from __future__ import annotations

import re

from .contradiction import contradicts
from .said import NUMBER_WORDS, said

_CONTENT_LETTERS = 4  # shorter words are in every sentence, and so are these longer ones
_WITHOUT_CONTENT = frozenset(
    said(
        "please thanks thank sorry hello okay yeah well just really about after again also because before could does "
        "doing down every from have having here into know like look made make many more most much need only other over "
        "said same should some something such take tell than that that's them then there these they thing things think "
        "this those very want were what what's when where which while will with would your you're"
    )
)

_KIN = "mum|mom|mommy|mummy|dad|daddy|papa|grandma|grandpa|granny|honey|darling|sweetie|sweetheart|babe|kids|guys"
# Whisper sets a vocative off with a comma; without one the word is a subject or an object ("honey is sweet").
_VOCATIVE = re.compile(
    rf"^\W*(?:(?:hey|hi|hello|oh|okay|yes|yeah|look|good (?:morning|night|evening)),?\s+)?(?:{_KIN})\s*[,!]"
    rf"|,\s*(?:{_KIN})\W*$"
    rf"|[.!?]\s+(?:{_KIN})\s*,",
    re.IGNORECASE,
)
_GREETED_BY_NAME = re.compile(r"^\W*(?:[Hh]i|[Hh]ello),?\s+(?!There\b|Assistant\b|Computer\b|I\b)[A-Z][a-z]+\s*[,.!?]")

# at home, on the telephone, from a loudspeaker
_ANYWHERE = (
    "dinner is ready,dinner's ready,lunch is ready,breakfast is ready,be right there,be right back,have you seen my,"
    "somebody's at the door,someone's at the door,somebody is at the door,someone is at the door,"
    "i'm on the phone,i'll call you back,i'll call you later,see you later,see you soon,see you tomorrow,"
    "talk to you later,bye bye,okay bye,thanks for calling,"
    "stay tuned,thanks for watching,thank you for watching,like and subscribe,subscribe to our,back to you,"
    "terms and conditions apply,brought to you by,our correspondent"
)
_OPENINGS = (
    "come in,come here,i'm coming,i'm home,who's there,breaking news,coming up next,coming up after,welcome back to,"
    "ladies and gentlemen,reporting from,reporting live,in other news,good evening and welcome,call now,order now"
)


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(phrase.split()) for phrase in text.split(","))


_ANYWHERE_PHRASES, _OPENING_PHRASES = _phrases(_ANYWHERE), _phrases(_OPENINGS)


def corrects(word: str) -> bool:
    """Whether the word alone may change what was said: a number, a "not"."""
    return word in NUMBER_WORDS or contradicts(word)


def is_for_others(text: str, playing_text: str) -> bool:
    """Whether these words were not for the assistant.

    text: an utterance as recognised, with its capitals and commas.
    playing_text: the words of the answer that sounded around that time.
    """
    words = said(text)
    if not may_be_for_others(text, playing_text):
        return False
    if _VOCATIVE.search(text) or _GREETED_BY_NAME.search(text):
        return True
    opens = any(tuple(words[: len(phrase)]) == phrase for phrase in _OPENING_PHRASES)
    anywhere = (
        tuple(words[at : at + len(phrase)]) == phrase for phrase in _ANYWHERE_PHRASES for at in range(len(words))
    )
    return opens or any(anywhere)


def may_be_for_others(text: str, about: str) -> bool:
    """Whether no word of `text` corrects something or is a content word of `about`."""
    words = said(text)
    if any(map(corrects, words)):
        return False
    content = {word for word in words if len(word) >= _CONTENT_LETTERS} - _WITHOUT_CONTENT
    return not content & set(said(about))

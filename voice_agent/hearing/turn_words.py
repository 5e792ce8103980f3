"""What the words of a turn tell about its end: do they break off, do they ask for an answer?

    words, as recognised -> is_unfinished, wants_answer

The recogniser puts a full stop or a question mark behind words that break off, too ("How long does it take to?"). So
the last word is looked at: some words end no sentence, others end only sentences of a certain kind, a preposition that
of a "what" or a "who" ("What is it made of?"). Tables of English function words, which are few; pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .word_agreement import SENTENCE_ENDS, plain_text


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_OPENERS = _set(  # a sentence that begins so wants an answer, with a question mark or without
    "what what's whose which why how how's who who's is isn't are aren't was were am do does don't did didn't can "
    "can't could would will won't should shall may has have had tell explain give show describe list name write read "
    "help find calculate compute compare define translate summarize repeat say count spell solve let's please teach "
    "remind recommend suggest continue go stop wait sorry actually no yes hello hi thanks convert add subtract "
    "multiply divide choose pick play sing guess imagine draw make"
)
_PREDICATES = _set("is isn't are aren't was were do does don't did didn't have has had")
_LEAD_INS = _set("and but so okay ok um uh oh well hey now then right alright")

_HANGING = _set(  # nobody stops at such a word
    "a an the my your our their its his every um umm uh uhm er erm hmm mm "  # articles and the like, fillers
    "and or nor but because than if whether although unless whereas between into onto upon during without "
    "very quite rather almost nearly such per plus minus versus"
)
_HANGING_IN_STATEMENTS = _set(  # but "where are you from?" and "what is it?" are questions
    "of to in on at by from with for about is are was were has have had that which who what when how where why while "
    "i we"
)
_BE = _set("is are was were am i'm")
_AUXILIARIES = _BE | _set("do does did has have had can could will would shall should may might must")
_WHAT = _set("what what's who who's whom which where where's")  # a preposition at the end may belong to it
_ASKING = _WHAT | _set("when when's how how's why whose")
_HELD_BEFORE = {  # after these the preposition is the end of "what is it made of?", not the beginning of something
    "of": _set("made think thinking know hear heard afraid scared tired full consist dream proud part out"),
    "to": _set("talk talking speak listen listening belong up related refer referring used married allergic go going"),
}
_PARTICLE_AFTER = _set("it them that this me us come go turn switch log move carry keep hold get")  # "turn it on"
_CLAUSE_AFTER = _set(  # what is said, known or true comes after "that"
    "true sure certain likely possible clear it so given know knew think say said says believe mean means hope assume "
    "suppose guess imagine fact"
)


def is_unfinished(words: str) -> bool:
    """Whether the words break off: without the full stop of a sentence, or at a word that ends no such sentence."""
    text = words.rstrip()
    if not text.endswith(SENTENCE_ENDS) or text.endswith("..."):
        return True
    *before, last = plain_text(_last_sentence(text)).split() or [""]
    if last in _HANGING:
        return True
    if not wants_answer(text):
        return last in _HANGING_IN_STATEMENTS
    return any(last in these and hangs(last, before) for these, hangs in _HANGING_IN_QUESTIONS)


def _preposition_hangs(last: str, before: Sequence[str]) -> bool:
    """'How long does it take to?' does, 'what is it made of?' and 'can you turn it on?' do not."""
    if last in ("in", "on", "by") and before and before[-1] in _PARTICLE_AFTER:
        return False
    held = last not in _HELD_BEFORE or (before and before[-1] in _HELD_BEFORE[last])
    return not (held and _WHAT.intersection(before))


def _auxiliary_hangs(_: str, before: Sequence[str]) -> bool:
    """'What time is?' does, 'do you know what time it is?' and 'what to do?' do not."""
    return 0 < len(before) <= 2 and before[0] in _ASKING and before[-1] != "to"


def _that_hangs(_: str, before: Sequence[str]) -> bool:
    """'Is it true that?' does, 'how far is that?' does not."""
    return bool(before) and before[-1] in _CLAUSE_AFTER


def _doer_hangs(_: str, before: Sequence[str]) -> bool:
    """'How long do I?' does, 'how old is she?' and 'may I?' do not."""
    return len(before) >= 2 and before[-1] not in _BE


def _question_word_hangs(_: str, before: Sequence[str]) -> bool:
    """'Can you tell me how?' does, more often than not; 'since when?' does not."""
    return len(before) >= 2


_HANGING_IN_QUESTIONS: tuple[tuple[frozenset[str], Callable[[str, Sequence[str]], bool]], ...] = (
    (_set("of to in on at by from with for about"), _preposition_hangs),
    (_AUXILIARIES, _auxiliary_hangs),
    (_set("that"), _that_hangs),
    (_set("i we he she they"), _doer_hangs),  # "you" and "it" are objects as well
    (_set("what who which when where how whose"), _question_word_hangs),
)


def wants_answer(words: str) -> bool:
    """Whether the last sentence is a question or a request; after a mere statement most often one follows."""
    sentence = _last_sentence(words)
    said = plain_text(sentence).split()
    opening = next((word for word in said if word not in _LEAD_INS), "")
    goes_on = said[:1] != [opening] and opening in _PREDICATES  # "And now has a total of ten."
    return sentence.endswith("?") or (opening in _OPENERS and not goes_on)


def _last_sentence(text: str) -> str:
    """A small letter goes on with the sentence before, whatever a pause put between: "A shop. is selling gas." """
    sentences = re.findall(r"[^.!?]+[.!?]*", re.sub(r"(?<=\d)\.(?=\d)", ",", text.strip()))
    while len(sentences) > 1 and sentences[-1].lstrip()[:1].islower():
        rest = sentences.pop()
        sentences[-1] = sentences[-1].rstrip(".!?") + rest
    return sentences[-1] if sentences else ""

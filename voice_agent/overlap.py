"""What did the user mean by speaking over an answer? Judged from the words alone; pure.

    judge(words, how long they lasted, what was being played)
        -> stop | back-channel | echo | noise | question | correction

Phrases are kept as `said` gives them: lower case, no marks, "uh-huh" in two words. Whisper's spellings are listed as it
gives them for real and synthetic voices.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from .events import InterruptionKind
from .said import NUMBER_WORDS, said
from .settings import Floor


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in text.split(","))


BACK_CHANNELS = _phrases(
    "uh huh,a huh,aha,mm,mm hmm,mm mm,m hmm,mhm,hmm,hm,uh,um,ah,oh,okay,ok,yeah,yes,yep,yup,ya,right,all right,alright,"
    "sure,i see,got it,i know,go on,go ahead,good,great,cool,nice,wow,exactly,indeed,true,of course,makes sense"
)
STOPS = _phrases(
    "stop,stop it,stop that,stop talking,stop there,stop now,wait,wait a minute,wait a second,wait a moment,hold on,"
    "hold on a second,hold on a minute,hold on a moment,hang on,hold it,be quiet,"
    "quiet,silence,shut up,hush,enough,that's enough,that is enough,thats enough,that'll do,"
    "that will do,never mind,nevermind,forget it,cancel,pause,one moment,one second,just a moment,just a second,"
    "just a minute"
)
SOFTENERS = _phrases("please,okay,ok,oh,hey,no,now,thanks,thank you,all right,alright,yeah,well,sorry,uh,um")

_QUESTION_WORDS = _phrases(
    "what,what's,why,how,how's,when,where,who,whose,which,is,are,was,were,am,do,does,did,can,could,would,should,will,"
    "shall,isn't,aren't,doesn't,didn't,can't,couldn't,wouldn't"
)
_LEAD_INS = _phrases("and,but,so,okay,ok,wait,sorry,um,uh,oh,well,hey,no,then,now")
_CONTRADICTIONS = _phrases("no,not,sorry,actually,meant,mean,wrong,instead,rather")
_MOST_STOP_WORDS = 6  # a longer utterance says more than stop
_ECHO_SHARE = 0.7  # of the utterance's words, found in order in what was played


def judge(text: str, lasted_s: float, playing_text: str, settings: Floor, doubtful: bool = False) -> InterruptionKind:
    """Name an overlap.

    text: everything that was recognised from the onset to the silence after it; may be empty.
    lasted_s: from the first voiced sound to the last.
    playing_text: the words that sounded around that time, best in the form in which they were voiced.
    doubtful: the recogniser was far from sure: a word or two are then a hummed "uh-huh" spelled as words,
        unless they name a number or contradict.
    """
    words = _words(text)
    if not words:
        return "noise"
    if _is_stop(words):
        return "stop"
    short = lasted_s <= settings.back_channel_longest_s and len(text.split()) <= settings.back_channel_most_words
    if short and (_made_of(words, BACK_CHANNELS) or (doubtful and not any(map(_corrects, words)))):
        return "back-channel"
    if is_echo(words, _words(playing_text)):
        return "echo"
    return "question" if _is_question(text, words) else "correction"


def is_trivial(text: str) -> bool:
    """Whether words that answer to nothing need no answer: a mere "okay", a "stop" into the silence, nothing at all."""
    words = _words(text)
    return _made_of(words, BACK_CHANNELS) or _is_stop(words)


def may_become_trivial(text: str) -> bool:
    """Whether `is_trivial` holds or could hold with more words: "hold" may become "hold on"."""
    words, phrases = _words(text), BACK_CHANNELS | STOPS | SOFTENERS
    return any(
        _made_of(words[:cut], phrases) and any(phrase[: len(words) - cut] == words[cut:] for phrase in phrases)
        for cut in range(len(words) + 1)
    )


def is_echo(words: Sequence[str], playing: Sequence[str]) -> bool:
    """Whether the microphone heard the loudspeaker: the words run as in `playing`, and none of them contradicts it.

    A correction often repeats the sentence it corrects, all but a number or a "not": such a word makes it the user's.
    """
    if any(map(_corrects, set(words) - set(playing))):
        return False
    shortest = min(2, len(words))  # a lone word among others matches by chance
    blocks = SequenceMatcher(None, words, playing, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size >= shortest) >= _ECHO_SHARE * len(words)


def _corrects(word: str) -> bool:
    """Whether the word alone may change what was said: a number, a "not"."""
    return word in NUMBER_WORDS or (word,) in _CONTRADICTIONS or word.endswith("n't")


def _words(text: str) -> tuple[str, ...]:
    return tuple(_one_spelling(word) for word in said(text))


def _one_spelling(word: str) -> str:
    """'mmmm' -> 'mm', 'hmmm' -> 'hmm': hummed words have as many letters as the recogniser likes."""
    return "mm" if re.fullmatch(r"mm+", word) else "hmm" if re.fullmatch(r"hmm+", word) else word


def _is_stop(words: tuple[str, ...]) -> bool:
    stops = any(words[at : at + len(stop)] == stop for stop in STOPS for at in range(len(words)))
    return stops and len(words) <= _MOST_STOP_WORDS and _made_of(words, STOPS | SOFTENERS)


def _is_question(text: str, words: tuple[str, ...]) -> bool:
    opening = next((word for word in words if (word,) not in _LEAD_INS), "")
    return text.rstrip().endswith("?") or (opening,) in _QUESTION_WORDS


def _made_of(words: tuple[str, ...], phrases: frozenset[tuple[str, ...]]) -> bool:
    """Whether `words` are a sequence of whole phrases; true of no words."""
    reached = {0}
    for at in range(len(words)):
        if at in reached:
            reached |= {at + len(phrase) for phrase in phrases if words[at : at + len(phrase)] == phrase}
    return len(words) in reached

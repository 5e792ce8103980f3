"""What did the user mean by speaking over an answer? Judged from the words alone; pure.

    judge(words, how long they lasted, what was being played)
        -> stop | back-channel | echo | noise | not-to-me | question | correction

Phrases are kept as `said` gives them: lower case, no marks, "uh-huh" in two words. Whisper's spellings are listed as it
gives them for real and synthetic voices.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import takewhile

from .addressee import corrects, is_for_others
from .events import InterruptionKind
from .said import said
from .settings import Floor


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in text.split(","))


BACK_CHANNELS = _phrases(
    "uh huh,a huh,huh,aha,a ha,ah ha,f ha,hmm,uh,um,ah,oh,ooh,okay,ok,k,yeah,yes,yep,yup,ya,right,all right,alright,"
    "sure,i see,got it,gotcha,i know,i understand,understood,go on,go ahead,come on,good,very good,great,cool,nice,"
    "wow,perfect,awesome,amazing,excellent,lovely,fine,exactly,indeed,true,of course,makes sense,that makes sense,"
    "interesting,sounds good,sound good,fair enough,no problem,i got it,good enough,that's all right,that's alright,"
    "that's all good,all good,that's fine,that's okay,that's good,that's great,that's right,that's true"
)
COURTESIES = _phrases("thanks,thank you,thank you so much,thank you very much,thanks a lot")  # into silence: a turn
NOISES = _phrases("ha,haha,ahem,achoo,ow,ouch,oops,whoops,phew,ugh,er,erm,eh,and,then,and then,but,so,the,you,well,now")
STOPS = _phrases(
    "stop,stop it,stop that,stop this,stop talking,stop speaking,stop reading,stop there,stop right there,stop now,"
    "wait,wait a minute,wait a second,wait a sec,wait a moment,wait up,"
    "hold on,hold on a second,hold on a sec,hold on a minute,hold on a moment,hold up,hold it,hold that thought,"
    "hang on,hang on a second,hang on a sec,hang on a minute,hang on a moment,"
    "one moment,one second,one sec,one minute,just a moment,just a second,just a sec,just a minute,"
    "give me a second,give me a sec,give me a minute,give me a moment,give me one second,give me one moment,"
    "be quiet,quiet,silence,shut up,hush,shush,shh,sh,ssh,enough,that's enough,that is enough,thats enough,"
    "that's quite enough,i've heard enough,that'll do,that will do,that's all,that's it thanks,"
    "that's it thank you,never mind,nevermind,forget it,cancel,cancel that,pause,time out,cut it out,knock it off"
)
SOFTENERS = _phrases(
    "please,okay,ok,oh,hey,no,nope,now,thanks,thank you,all right,alright,yeah,yes,well,sorry,uh,um,just,for now,"
    "can you,could you,would you,will you,you can,i said,right,good,great,then"
)

_QUESTION_WORDS = _phrases(
    "what,what's,why,how,how's,when,where,who,whose,which,is,are,was,were,am,do,does,did,can,could,would,should,will,"
    "shall,isn't,aren't,doesn't,didn't,can't,couldn't,wouldn't"
)
_LEAD_INS = _phrases("and,but,so,okay,ok,wait,sorry,um,uh,oh,well,hey,no,then,now")
_MOST_STOP_WORDS = 6  # a longer utterance says more than stop
_HUMMED_S, _HUMMED_WORDS = 1.0, 2  # what a hummed "uh-huh" is at most
_SPELLED_LETTERS = 3  # of those that spell humming, with no "m" among them
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
    half_heard = len(words[0]) == 1 or words[0] == "hmm"  # "B. Stop.": a "hey"
    if _is_stop(words) or (half_heard and _is_stop(words[1:])):
        return "stop"
    short = lasted_s <= settings.back_channel_longest_s and len(text.split()) <= settings.back_channel_most_words
    passing: frozenset[tuple[str, ...]] = frozenset() if text.rstrip().endswith("?") else NOISES  # "And then?" asks
    if short and _made_of(words, passing):
        return "noise"
    if short and _made_of(words, BACK_CHANNELS | COURTESIES | passing):
        return "back-channel"
    if doubtful and lasted_s <= _HUMMED_S and len(text.split()) <= _HUMMED_WORDS and not any(map(corrects, words)):
        return "back-channel"
    if is_echo(words, _words(playing_text)):
        return "echo"
    if is_for_others(text, playing_text):
        return "not-to-me"
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
    if any(map(corrects, set(words) - set(playing))):
        return False
    shortest = min(2, len(words))  # a lone word among others matches by chance
    blocks = SequenceMatcher(None, words, playing, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size >= shortest) >= _ECHO_SHARE * len(words)


def _words(text: str) -> tuple[str, ...]:
    words = said(text)
    letters = list(takewhile(lambda word: word in ("m", "h", "n", "u"), words))
    if "m" in letters or len(letters) >= _SPELLED_LETTERS:  # "M.H.M.", "N-H-N-N, okay": hummed, and spelled by letter
        words = ["hmm", *words[len(letters) :]]
    return tuple(_one_spelling(word) for word in words)


def _one_spelling(word: str) -> str:
    """'mm', 'mhm', 'mmmhm', 'muh' -> 'hmm': the recogniser spells what is hummed as it likes."""
    return "hmm" if re.fullmatch(r"(?=.*m)[hmu]+", word) and word != "um" else word


def _is_stop(words: tuple[str, ...]) -> bool:
    again = sum(word in ("stop", "wait") for word in words)
    if again >= 2 and len(words) - again <= 1 and not any(word == "not" or word.endswith("n't") for word in words):
        return True  # "start, stop, stop": one of them was misread
    if _made_of(words, BACK_CHANNELS | COURTESIES):
        return False  # "that's all right"
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

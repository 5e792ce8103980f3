"""Dates, years and times of day.

"May 5, 2024" -> "May fifth, twenty twenty-four";  "3:05 p.m." -> "three oh five PM"
"""
# ruff: noqa: RUF001 - dashes

from __future__ import annotations

import re

from .numbers import say_decade, say_number, say_ordinal, say_time, say_year
from .rule import CLAIMED, Rule, Said, either, parts, rule

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_SHORT = {month[:3]: month for month in MONTHS} | {"Sept": "September"}
_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thurs": "Thursday",
    "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip

_MONTH = rf"(?:{'|'.join(MONTHS)}|(?:{either(_SHORT)})\b\.?)"
_WEEKDAY = either(_DAYS)
_YEAR = r"(?:1[5-9]\d\d|20\d\d)(?![\w%°]|[.,:/]\d|-\d)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?![\d:/.]\d|\d|\s?[%°])"
_BEFORE_YEAR = (
    r"(?:\b(?:[Ii]n|[Ss]ince|[Uu]ntil|till|[Bb]y(?=\s20[1-9]\d)|year|circa|early|late|mid|class\sof"
    rf"|(?:summer|winter|spring|autumn|fall|{_MONTH})(?:\sof)?)\s|(?<=\s)\((?=\d{{4}}\)))"
)


def _say_date(year: str, month: str, day: str) -> str | None:
    """('2024', '5', '1') -> 'May first, twenty twenty-four'; None where it is no date."""
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    return f"{MONTHS[int(month) - 1]} {_say_day(day)}, {say_year(year)}"


def _say_day(day: str) -> str:
    """'5', '05', 'the 5th' -> 'fifth'."""
    return say_ordinal(str(int(re.sub(r"\D", "", day))))


def _say_day_first(match: re.Match[str]) -> Said:
    month = "of " + _month(match["month"])
    year = say_year(match["year"]) if match["year"] else ""
    return parts(match, day=f"the {_say_day(match['day'])}", month=month + "," * bool(year), year=year)


def _say_month_first(match: re.Match[str]) -> Said:
    year = say_year(match["year"]) if match["year"] else ""
    comma = "," * bool(year)
    last = f"to {_say_day(match['last'])}{comma}" if match["last"] else ""
    day = _say_day(match["day"]) + ("" if last else comma)
    return parts(match, month=_month(match["month"]), day=day, last=last, year=year)


def _say_years(match: re.Match[str]) -> Said:
    last = match["last"][1:]
    if len(last) == 4 and int(last) <= int(match["first"]):
        return None
    said_last = say_year(last) if len(last) == 4 else say_number(str(int(last)))
    return parts(match, first=say_year(match["first"]), last=f"to {said_last}")


def _say_clock(match: re.Match[str]) -> Said:
    second, half = match["second"], match["half"]
    hour, _, past = match["minute"].partition(":")
    minute = say_time(hour, past, twelve=bool(half))
    said_second = f"and {say_number(str(int(second)))} second{'s' * (int(second) != 1)}" if second else ""
    return parts(match, minute=minute, second=said_second, half=f"{(half or '')[:1].upper()}M")


def _month(written: str) -> str:
    return _SHORT.get(written.rstrip("."), written)


DATES: tuple[Rule, ...] = (
    rule(r"(?<=[AaPp][Mm])\s?[-–]\s?(?=\d)", "to"),
    rule(r"(?<![\d/-])(\d{4})-(\d{2})-(\d{2})(?:T(?=\d\d:)|(?![\d-]))", lambda m: _say_date(m[1], m[2], m[3])),
    rule(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\d/])", lambda m: _say_date(m[3], m[1], m[2])),
    rule(r"(?<![\d.])(\d{2})\.(\d{2})\.((?:19|20)\d\d)(?![\d.]\d)", lambda m: _say_date(m[3], m[2], m[1])),
    rule(
        rf"(?<![\d.,:/$€£-])\b(?P<day>(?:the\s)?{_DAY}(?:st|nd|rd|th)?)\s(?:of\s)?(?P<month>{_MONTH})"
        rf"(?:,?\s(?P<year>{_YEAR}))?(?!\w)",
        _say_day_first,
    ),
    rule(
        rf"\b(?P<month>{_MONTH})\s(?P<day>{_DAY})(?:st|nd|rd|th)?(?:\s?[-–]\s?(?P<last>{_DAY}))?"
        rf"(?:,?\s(?P<year>{_YEAR}))?(?!\w|\s?(?:[ap]\.?m\b|percent|people|million|/))",
        _say_month_first,
    ),
    rule(
        rf"\b(?P<month>{_MONTH})(?:,?\s|\sof\s)(?P<year>{_YEAR})",
        lambda m: parts(m, month=_month(m["month"]), year=say_year(m["year"])),
    ),
    rule(rf"\b(?P<it>(?:{either(_SHORT)})\.)(?=\s[a-z])", lambda m: _month(m["it"])),
    rule(
        rf"\b(?P<first>{_WEEKDAY})\.?[-–](?P<last>{_WEEKDAY})\b\.?",
        lambda m: parts(m, first=_DAYS[m["first"]], last=f"to {_DAYS[m['last']]}"),
    ),
    rule(rf"\b({_WEEKDAY})\.(?=\s[a-z\d]|,)", lambda m: _DAYS[m[1]]),
    rule(
        r"(?<![\d.,$€£-])\b(?P<first>1[5-9]\d\d|20\d\d)(?P<last>[-–](?:1[5-9]\d\d|20\d\d|\d\d))"
        r"(?![\d-]|[.,]\d|\s*[=+*/×])",
        _say_years,
    ),
    rule(r"(?<![\w.,$€£])(1[1-9]\d0|20\d0)['’]?s\b", lambda m: say_decade(m[1])),
    rule(r"(?:(?<=\s)|(?<=-)|\A)['’]?([2-9]0)['’]?s\b", lambda m: say_decade(m[1])),
    rule(
        rf"\b(?:[Bb]etween|[Ff]rom)\s(?P<it>{_YEAR})(?=\s(?:and|to|until|through)\s{_YEAR})",
        lambda m: say_year(m["it"]),
    ),
    rule(rf"(?:etween|rom)\s{CLAIMED}{{4}}\s(?:and|to|until|through)\s(?P<it>{_YEAR})", lambda m: say_year(m["it"])),
    rule(rf"{_BEFORE_YEAR}(?P<it>{_YEAR})", lambda m: say_year(m["it"])),
    rule(r"(?<=:\d\d)\s?[-–]\s?(?=\d{1,2}:\d\d)", "to"),
    rule(
        r"(?<![\d:.,])(?P<minute>(?P<hour>[01]?\d|2[0-4]):[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])"
        r"(?:\s?(?P<half>[aApP]\.?\s?[mM]\b\.?))?",
        _say_clock,
    ),
    rule(r"(?<=\d)\s?(?P<it>[aApP]\.?[mM]\b\.?)", lambda m: f"{m['it'][0].upper()}M"),
)

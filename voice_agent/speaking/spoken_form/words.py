"""Words that are written short, and signs that stand for words.

"Dr. Smith" -> "Doctor Smith";  "World War II" -> "World War two";  "and/or" -> "and or"
"""
# ruff: noqa: RUF001 - signs

from __future__ import annotations

import re

from .numbers import roman_value, say_number, say_ordinal
from .rule import Rule, rule, table

ABBREVIATIONS: dict[str, str] = {
    "e.g.": "for example", "i.e.": "that is", "etc.": "et cetera", "vs.": "versus", "viz.": "namely", "cf.": "compare",
    "et al.": "and others", "a.k.a.": "also known as", "approx.": "approximately", "ca.": "circa", "Dr.": "Doctor",
    "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miss", "Prof.": "Professor", "Jr.": "Junior", "Sr.": "Senior",
    "Gen.": "General", "Capt.": "Captain", "Sgt.": "Sergeant", "Lt.": "Lieutenant", "Col.": "Colonel",
    "Gov.": "Governor", "Sen.": "Senator", "Rev.": "Reverend", "Mt.": "Mount", "Ave.": "Avenue", "Blvd.": "Boulevard",
    "Rd.": "Road", "Inc.": "Incorporated", "Corp.": "Corporation", "Ltd.": "Limited", "Co.": "Company",
    "dept.": "department", "Dept.": "Department", "est.": "estimated", "incl.": "including", "excl.": "excluding",
    "resp.": "respectively", "avg.": "average", "max.": "maximum", "min.": "minimum", "temp.": "temperature",
    "Ph.D.": "P H D", "M.D.": "M D", "B.Sc.": "B S C", "M.Sc.": "M S C", "a.m.": "AM", "p.m.": "PM",
}  # fmt: skip  # a point that belongs to the word: no sentence ends there
_WITHOUT_POINT = {
    "vs": "versus", "w/o": "without", "w/": "with", "b/c": "because", "C++": "C plus plus", "c++": "C plus plus",
    "C#": "C sharp", "F#": "F sharp", "approx": "approximately", "IQ": "I Q", "LaTeX": "lay tech", "a/c": "A C",
}  # fmt: skip
BEFORE_NUMBER = {
    "No.": "number", "no.": "number", "Nos.": "numbers", "Fig.": "figure", "fig.": "figure", "Figs.": "figures",
    "Eq.": "equation", "eq.": "equation", "Sec.": "section", "sec.": "section", "Ch.": "chapter", "ch.": "chapter",
    "Vol.": "volume", "vol.": "volume", "p.": "page", "pp.": "pages", "Art.": "article", "ver.": "version",
    "c.": "circa", "Tab.": "table", "Ex.": "example", "approx.": "approximately", "§": "section", "§§": "sections",
}  # fmt: skip
_PARTS_OF_WORKS = (
    "[Cc]hapter|[Pp]art|Act|Scene|Volume|Book|Section|Article|[Pp]hase|[Tt]ype|Title|Appendix|War|Level|Grade|[Ss]tage"
    "|Class|Bowl|Mark|Rocky"
)
_RULERS = (
    "Henry|Louis|George|Edward|Elizabeth|Charles|James|William|Richard|Philip|Napoleon|Frederick|Nicholas|Alexander"
    "|Catherine|Pius|Benedict|Paul|Leo|Gregory|Innocent|Urban|Clement|Ramesses|Ptolemy|Cleopatra|Ferdinand|Leopold"
    "|Wilhelm|Otto|Ivan|Peter|Xerxes|Darius|Gustav|Carl|Harald|Umberto"
)
NAMES_BEFORE_NUMERALS = f"{_PARTS_OF_WORKS}|{_RULERS}"


def _say_roman(match: re.Match[str]) -> str | None:
    value = roman_value(match["it"])
    return say_number(str(value)) if value else None


def _say_ruler(match: re.Match[str]) -> str | None:
    value = roman_value(match["it"])
    return f"the {say_ordinal(str(value))}" if value else None


WORDS: tuple[Rule, ...] = (
    table(BEFORE_NUMBER, before=r"(?<![\w.])", after=r"(?=\s?[\dIVX])"),
    rule(r"(?<!\w)St\.(?=\s[A-Z])", "Saint"),
    rule(r"(?<![\w.])St\.", "Street"),
    table(ABBREVIATIONS, before=r"(?<![\w.])(?<!\d\s)", after=r"(?!\w)"),
    table(_WITHOUT_POINT, before=r"(?<![\w.])", after=r"(?!\w)"),
    rule(r"(?<![\w.])[A-Z]\.(?=\s[A-Z]\.\s?[A-Z])|(?<=\ue000\s)(?<![\w.])[A-Z]\.(?=\s[A-Z][a-z])", lambda m: m[0][0]),
    rule(r"(?<![\w.])(?:[A-Z]\.){2,}|\b(?<=\d\s)[BA]\.[CD]\.", lambda m: " ".join(m[0].replace(".", ""))),
    rule(rf"\b(?:{_PARTS_OF_WORKS})\s(?P<it>[IVXLC]+)(?![\w'’])", _say_roman),
    rule(rf"\b(?:{_RULERS})\s(?P<it>[IVXLC]{{2,}}|[VX])(?![\w'’])", _say_ruler),
)

SIGNS: tuple[Rule, ...] = (
    rule(r"(?<=\bA)-(?=Z\b)", "to"),
    rule(r"(?<=\w)\+\+(?!\w)", "plus plus"),
    rule(r"\s*&+\s*", "and"),
    rule(r"(?<=\w)@(?=\w)|(?<=\s)@(?=\s)", "at"),
    rule(r"(?<!\w)@(?=\w)", "at"),
    rule(r"#(?=[A-Za-z])", "hashtag"),
    rule(r"(?<=[A-Z])\+(?!\w)", "plus"),
    rule(r"(?<=\d)\s?%", "percent"),
    rule(r"[©®™†‡¶]", ""),
    rule(r"(?<=\b[a-z])/(?=[a-z]\b)", "over"),
    rule(r"(?<=\w)_(?=\w)", " "),
    rule(r"(?<=\band)/(?=or\b)", " "),
    rule(r"(?<=[^\W\d_])/(?=[^\W\d_])", "or"),
    rule(r"(?<=\w)\(\)", ""),
    rule(r"\s*[—–]\s*|\s+-{1,3}\s+|(?<=\w)--+(?=\w)", ","),
)

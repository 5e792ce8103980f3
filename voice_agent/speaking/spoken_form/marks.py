"""Marks that are read with the eyes: they fall silent, or become the pause that they stand for.

A line begins where the text does or after a line break, but not where the text begins with a space: clauses of a longer
text are spoken one by one, and one that was cut off in mid-line begins so.
"""
# ruff: noqa: RUF001 - bullets and dashes

from __future__ import annotations

import re

from .numbers import say_number
from .rule import Rule, rule

_LINE = r"(?:(?<=\n)[ \t]*|\A)"
_LONGEST_READ_CODE = 60  # characters: one line of code is read out, a listing is only told of

CONTROL: tuple[Rule, ...] = (
    rule(r"<think>.*?(?:</think>|\Z)", "", re.DOTALL),
    rule(r"</?(?:think|s|bos|eos|start_of_turn|end_of_turn)\s*/?>|<\|[^<>|]{1,40}\|>|\[/?INST\]", ""),
    rule(r"<br\s*/?>", ","),
    rule(r"</?(?:b|i|u|em|strong|code|pre|p|div|span|sub|sup|ul|ol|li|a|h[1-6]|kbd|mark|small)(?:\s[^<>\n]*)?/?>", ""),
    rule(r"<!--.*?-->", "", re.DOTALL),
    rule(r"&nbsp;|&#160;", " "),
    rule(r"&amp;", "and"),
    rule(r"&lt;", "is less than"),
    rule(r"&gt;", "is greater than"),
)


def _say_code(match: re.Match[str]) -> str:
    if match["keep"] is not None:
        return ""
    lines = [line for line in match["code"].splitlines() if line.strip()]
    language = (match["language"] or "").lower()
    name = _CODE_LANGUAGES.get(language, language.capitalize() or "code")
    return f"{say_number(str(len(lines)))} line{'s' * (len(lines) != 1)} of {name},"


_CODE_LANGUAGES = {
    "py": "Python", "js": "JavaScript", "javascript": "JavaScript", "ts": "TypeScript", "typescript": "TypeScript",
    "sh": "shell script", "bash": "shell script", "shell": "shell script", "console": "shell script", "html": "HTML",
    "css": "CSS", "sql": "SQL", "json": "JSON", "yaml": "YAML", "yml": "YAML", "xml": "XML", "cpp": "C plus plus",
    "c++": "C plus plus", "csharp": "C sharp", "cs": "C sharp", "text": "text", "txt": "text", "plaintext": "text",
    "toml": "TOML", "php": "PHP", "rb": "Ruby", "rs": "Rust", "md": "Markdown", "latex": "lay tech",
}  # fmt: skip

LISTINGS: tuple[Rule, ...] = (
    rule(
        r"(?P<fence>```|~~~)[ \t]*(?P<language>[\w+#-]*)[^\n`]*\n"
        rf"(?:(?P<keep>[^\n]{{0,{_LONGEST_READ_CODE}}})|(?P<code>.*?))(?:\n[ \t]*(?P=fence)|\Z)",
        _say_code,
        re.DOTALL,
    ),
    rule(r"(?:```|~~~)[ \t]*[\w+#-]*[ \t]*(?:\n|\Z)|```|~~~", ""),
)

LAYOUT: tuple[Rule, ...] = (
    rule(rf"{_LINE}\[[^\]\n]+\]:[ \t]*\S+[ \t]*(?=\n|\Z)", ""),
    rule(rf"{_LINE}(?:[-*_][ \t]*){{3,}}(?=\n|\Z)", ""),
    rule(rf"{_LINE}={{2,}}[ \t]*(?=\n|\Z)", ""),
    rule(rf"{_LINE}\|?[ \t]*:?-{{2,}}:?[ \t]*(?:\|[ \t]*:?-{{2,}}:?[ \t]*)*\|?[ \t]*(?=\n|\Z)", ""),
    rule(rf"{_LINE}#{{1,6}}[ \t]+", ""),
    rule(rf"{_LINE}(?:>[ \t]*)+(?=[A-Za-z*_`\"'(\[])", ""),
    rule(r"(?<![\w|])\|(?P<keep>[-−]?\w{1,6}(?:\s?[-−+]\s?\w{1,6})?)\|(?![\w|])", "the absolute value of"),
    rule(rf"{_LINE}\d{{1,3}}(?P<it>\))(?=\s)", "."),
    rule(rf"{_LINE}[-*+•‣▪◦–][ \t]+(?:\[[ xX]\][ \t]+)?", ""),
    rule(rf"{_LINE}\|[ \t]*|[ \t]*\|[ \t]*(?=\n|\Z)", ""),
    rule(r"[ \t]+\|[ \t]+", ","),
)

LINKS: tuple[Rule, ...] = (
    rule(r"!(?=\[[^\[\]\n]+\]\([^\n]*?\))", "image:"),
    rule(r"!\[\]\([^()\n]*\)", "an image"),
    rule(r"\[(?P<keep>[^\[\]\n]+)\]\((?:[^()\n]|\([^()\n]*\))*\)", ""),
    rule(r"\[(?P<keep>[^\[\]\n]+)\]\[[^\[\]\n]*\]", ""),
    rule(r"\[\^[^\]\n]+\]:?|(?<=[\w.,)])[ \t]?\[\d{1,3}\](?=[\s.,;:]|\Z)", ""),
)

EMPHASIS: tuple[Rule, ...] = (
    rule(r"\*\*\*|\*\*|__|~~|==(?=\w)|(?<=\w)==(?!\s*\w)|`+", ""),
    rule(r"(?<![\w*])\*(?P<keep>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])", ""),
    rule(r"(?<!\w)_(?P<keep>[^\s_](?:[^_\n]*[^\s_])?)_(?!\w)", ""),
)

FORMULA_MARKS: tuple[Rule, ...] = (
    rule(r"\\[()\[\]]|\$\$?(?!\d)|\\(?:[A-Za-z]+|\W)", ""),
    rule(r"[{}]", " "),
)

PICTOGRAMS: tuple[Rule, ...] = (
    rule(
        "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff\u2300-\u23ff\u25a0-\u25ff]"  # emoji, dingbats
        "|[\u20e3\ufe0e\ufe0f\u200b-\u200f\u2060\ufeff\U000e0020-\U000e007f]",  # what joins and varies them
        "",
    ),
    rule(r"(?:(?<=[\s\ue001])|\A)[:;=]['’]?-?[()DPpO|/](?=[\s.!?\ue001]|\Z)|<3(?=[\s\ue001]|\Z)", ""),
)

LEFT_OVER: tuple[Rule, ...] = (rule(r"[*_`~^|\\{}<>\[\]#$]+", ""),)

"""Where one sentence ends and the next begins, in plain text. Pure.

SENTENCE_BREAK.split("It rains. Why?") -> ["It rains.", "Why?"]
"""

from __future__ import annotations

import re

SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+")

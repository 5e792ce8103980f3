"""What the voice gets to say for what the model wrote, and which written stretch each spoken word stands for.

    spoken_form(written, language) -> SpokenForm(text, spans)

`form` applies a table of rules to the text; `rules` is the order of the table, and one module holds each kind of rule:
`marks` (markdown, control tokens, emoji), `formulas` with `mathml` (LaTeX), `words`, `names` (addresses), `quantities`
with `units`, `dates`, `numbers`, and `operators`. Pure; knows nothing of the voice, and of English alone.
"""

from .form import SpokenForm, SpokenSpan, spoken_form
from .words import ABBREVIATIONS, BEFORE_NUMBER, NAMES_BEFORE_NUMERALS

__all__ = ["ABBREVIATIONS", "BEFORE_NUMBER", "NAMES_BEFORE_NUMERALS", "SpokenForm", "SpokenSpan", "spoken_form"]

"""Units of measure behind a number: "km/h" is said "kilometers per hour".

    say_unit("m/s^2", one=False) -> "meters per second squared"

A unit is a symbol with a prefix, a power, and a divisor: the table holds only the symbols. Symbols that are words or
letters as often as units ("in", "a", "C") are left out or stand behind a degree sign.
"""

from __future__ import annotations

import re

from .rule import either

_PREFIXES = {
    "k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "m": "milli", "c": "centi",
    "d": "deci", "h": "hecto", "n": "nano", "p": "pico", "µ": "micro", "μ": "micro",
}  # fmt: skip
_MICRO = "µμ"
_PREFIXED = {  # symbol: name, prefixes it takes, whether it stands without one
    "m": ("meter", f"kcdmn{_MICRO}", True), "g": ("gram", f"km{_MICRO}", True),
    "L": ("liter", f"dcmh{_MICRO}", True), "l": ("liter", f"dcmh{_MICRO}", True),
    "s": ("second", f"mn{_MICRO}", True), "Hz": ("hertz", "kMGT", True), "W": ("watt", "kMGTm", True),
    "Wh": ("watt hour", "kMGT", True), "V": ("volt", "kMm", True), "A": ("amp", f"m{_MICRO}", False),
    "Ah": ("amp hour", "m", True), "Pa": ("pascal", "khM", True), "J": ("joule", "kMG", True),
    "N": ("newton", "km", True), "eV": ("electron volt", "kMGT", True), "cal": ("calorie", "k", True),
    "mol": ("mole", "m", True), "Ω": ("ohm", "kM", True), "F": ("farad", f"np{_MICRO}", False),
    "B": ("byte", "kKMGTP", False), "b": ("bit", "kMG", False), "bit": ("bit", "kMG", True),
    "bps": ("bit per second", "kMG", True), "Sv": ("sievert", f"m{_MICRO}", True),
}  # fmt: skip
_PLAIN = {
    "ft": ("foot", "feet"), "mi": ("mile", "miles"), "yd": ("yard", "yards"), "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"), "gal": ("gallon", "gallons"), "qt": ("quart", "quarts"),
    "tsp": ("teaspoon", "teaspoons"), "tbsp": ("tablespoon", "tablespoons"), "h": ("hour", "hours"),
    "hr": ("hour", "hours"), "hrs": ("hour", "hours"), "min": ("minute", "minutes"), "mins": ("minute", "minutes"),
    "sec": ("second", "seconds"), "secs": ("second", "seconds"), "yr": ("year", "years"), "yrs": ("year", "years"),
    "wk": ("week", "weeks"), "wks": ("week", "weeks"), "day": ("day", "days"), "days": ("day", "days"),
    "hour": ("hour", "hours"), "hours": ("hour", "hours"), "minute": ("minute", "minutes"),
    "second": ("second", "seconds"), "month": ("month", "months"), "year": ("year", "years"),
    "week": ("week", "weeks"), "person": ("person", "people"), "mile": ("mile", "miles"), "miles": ("mile", "miles"),
    "mph": ("mile per hour", "miles per hour"), "kph": ("kilometer per hour", "kilometers per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"), "mpg": ("mile per gallon", "miles per gallon"),
    "rpm": ("revolution per minute", "revolutions per minute"), "fps": ("frame per second", "frames per second"),
    "bpm": ("beat per minute", "beats per minute"), "ppm": ("part per million", "parts per million"),
    "ppb": ("part per billion", "parts per billion"), "dpi": ("dot per inch", "dots per inch"),
    "psi": ("pound per square inch", "pounds per square inch"), "px": ("pixel", "pixels"), "K": ("kelvin", "kelvin"),
    "dB": ("decibel", "decibels"), "ha": ("hectare", "hectares"), "atm": ("atmosphere", "atmospheres"),
    "bar": ("bar", "bars"), "mbar": ("millibar", "millibars"), "hp": ("horsepower", "horsepower"),
    "rad": ("radian", "radians"),
    "°C": ("degree Celsius", "degrees Celsius"), "℃": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"), "℉": ("degree Fahrenheit", "degrees Fahrenheit"),
    "° C": ("degree Celsius", "degrees Celsius"), "° F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"), "%": ("percent", "percent"), "‰": ("per mille", "per mille"),
}  # fmt: skip
_LENGTHS = ("meter", "foot", "mile", "yard", "inch")
_POWER = r"(?:\^\{?[23]\}?|[²³])?"


def _many(name: str) -> str:
    first, per, rest = name.partition(" per ")
    return (first if first.endswith("hertz") else f"{first}s") + per + rest


def _prefixed() -> dict[str, tuple[str, str]]:
    symbols = {}
    for symbol, (name, prefixes, bare) in _PREFIXED.items():
        for prefix in (*prefixes, *([""] if bare else [])):
            whole = _PREFIXES.get(prefix, "") + name
            symbols[prefix + symbol] = (whole, _many(whole))
    return symbols


_SYMBOLS = {**_prefixed(), **_PLAIN}
_ONE_UNIT = rf"(?:{either(_SYMBOLS)}){_POWER}"
UNIT = rf"{_ONE_UNIT}(?:[·⋅*]{_ONE_UNIT})?(?:\s?/\s?{_ONE_UNIT})?(?![\w°²³^]|/\w)"
BARE_UNIT = (  # without a number
    r"(?:km/h|mg/L|g/L|g/cm³|kg/m³|GB/s|MB/s|J/kg|mph|m/s²|m/s\^2|m/s|km|cm|mm|kg|kWh|kW|MHz|GHz|kHz|MB|GB|TB|°C|°F)"
    r"(?![\w°²³^]|/\w)"
)
INCH_ENDS = r"(?=\s*(?:[.,;:)\ue001]|\Z)|\s(?:by|tall|long|wide|high|deep|thick|x|and)\b)"  # "in" is a word as often
_PARTS = re.compile(rf"(?P<symbol>{either(_SYMBOLS)})(?P<power>{_POWER})")


def say_unit(unit: str, one: bool) -> str | None:
    """'m/s²' -> 'meters per second squared'; None where it is no unit. one: the number before it is 1."""
    if not re.fullmatch(UNIT, unit):
        return None
    above, _, below = unit.partition("/")
    factors = [factor.strip() for factor in re.split(r"[·⋅*]", above)]
    said = [_say_factor(factor, one or n + 1 < len(factors)) for n, factor in enumerate(factors)]
    return " ".join(said) + (f" per {_say_factor(below.strip(), one=True)}" if below else "")


def _say_factor(factor: str, one: bool) -> str:
    match = _PARTS.fullmatch(factor)
    assert match is not None
    name = _SYMBOLS[match["symbol"]][not one]
    if not match["power"]:
        return name
    square = "2" in match["power"] or "²" in match["power"]
    if _SYMBOLS[match["symbol"]][0].endswith(_LENGTHS):
        return f"{'square' if square else 'cubic'} {name}"
    return f"{name} {'squared' if square else 'cubed'}"

"""What a microphone hears of a loudspeaker in the same room: softly clipped, delayed, damped, with a tail.

    EchoPath.push(played) ; EchoPath.take(position, n) -> (n,) float32; positions in samples since the start

A small loudspeaker bends loud sound (tanh), and the room answers with a direct sound after `delay_ms` and a tail of
noise that falls by 60 dB in `TAIL_S`. No canceller can model the first with its linear filter, and few are long enough
for the second: a pure delayed copy would flatter them. The tail is drawn from `seed`: equal seeds, equal echoes.
"""

from __future__ import annotations

import numpy as np

TAIL_S = 0.3  # a furnished living room (ISO 3382-2 finds 0.3 to 0.5 s)
DIRECT_DB = 3.0  # the direct sound above all of the tail: an arm's length from the loudspeaker
DRIVE = 1.5  # full scale comes out 4 dB less loud; a tone of -6 dBFS has 3 % of third harmonic


class EchoPath:
    """One loudspeaker, one room, one microphone; `gain_db` is the energy of the whole response.

    rate_hz: of everything that goes in and out. What is taken must have been pushed: it is silent otherwise.
    """

    def __init__(self, delay_ms: float, gain_db: float, rate_hz: int, seed: int = 0) -> None:
        self._delay = round(delay_ms * rate_hz / 1000)
        self._response = room_response(rate_hz, seed) * np.float32(10 ** (gain_db / 20))
        self._heard = np.zeros(0, np.float32)  # the echo from position `_first` on; its last part still grows
        self._first = self._delay
        self._complete = self._delay  # up to here nothing is added any more

    def push(self, played: np.ndarray) -> None:
        """The next (n,) samples that left the loudspeaker."""
        if not len(played):
            return
        echo = convolve(bend(played), self._response)
        begin = self._complete - self._first
        grown = np.zeros(begin + len(echo), np.float32)
        grown[: len(self._heard)] = self._heard
        grown[begin:] += echo
        self._heard = grown
        self._complete += len(played)

    def take(self, position: int, n: int) -> np.ndarray:
        """The echo in [position, position + n); what came before is forgotten."""
        heard = np.zeros(n, np.float32)
        begin, end = max(position, self._first), min(position + n, self._complete)
        if begin < end:
            heard[begin - position : end - position] = self._heard[begin - self._first : end - self._first]
        forget = min(max(0, position - self._first), self._complete - self._first)
        self._heard, self._first = self._heard[forget:], self._first + forget
        return heard


def room_response(rate_hz: int, seed: int) -> np.ndarray:
    """(n,) float32 of energy 1: a direct sound, then noise under an exponential (J. A. Moorer, 1979)."""
    at_s = np.arange(round(TAIL_S * rate_hz)) / rate_hz
    tail = np.random.default_rng(seed).standard_normal(len(at_s)) * 10 ** (-3 * at_s / TAIL_S)
    tail[0] = 0.0
    tail /= np.sqrt(np.sum(tail**2))
    tail[0] = 10 ** (DIRECT_DB / 20)
    return (tail / np.sqrt(np.sum(tail**2))).astype(np.float32)


def bend(samples: np.ndarray) -> np.ndarray:
    """Soft clipping; quiet sound stays as it is."""
    return (np.tanh(DRIVE * samples) / DRIVE).astype(np.float32)


def convolve(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Both (n,) float32 -> (n + m - 1,), by way of the spectrum."""
    length = len(samples) + len(response) - 1
    size = 1 << (length - 1).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size)[:length].astype(np.float32)

"""How well the hearing room hears, measured on labelled sound in virtual time.

speakers      text -> speech, by every speaker that this machine has: the fixture voice, espeak-ng, flite
sounds        what is no speech, drawn from a seed: cough, door, typing, music, hum, breath; mixing at a level
ear           sound -> what `listen` makes of it, and when
detection     error, onset delay and false starts of a speech detector: behind scripts/compare_detectors
turn_ends     false cut-offs against dead air: behind scripts/compare_end_of_turn (turn_texts: what is said)
recognition   word error rate, cost and invented words of the streaming path: behind scripts/check_recognition,
              with monologue (lag), short_words (stop words, back-channels) and recognition_texts

Sound is mono float32 at 16 kHz throughout.
"""

"""How fast this machine is at what a conversation needs, and how far that is from what its memory allows.

run           run_bench(settings, ...) -> a table on the terminal, JSON where asked
steps         token steps, prefill, injection, gate and cut of a language model over shared blocks
session       a fresh process: the start, and spoken conversations with the time of every hop
sharing       the pace of the language model while the voice or the recogniser works
first_words   first sound of two modes, one spoken question, alternating
machine       what the figures were taken on
figures       samples -> median, range, floor and ratio

Times are measured on the wall clock unless it says otherwise.
"""

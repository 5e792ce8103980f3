"""How good and how quick the answers are, measured on question sets in text mode.

datasets      a question set -> items: question, gold answer, how it is scored
selection     a random share of the items, one process' part of them
scoring       what was spoken -> the answer that was stated, right or wrong (mathematics: where it is LaTeX)
refusals      what was spoken -> refused, partly refused, answered, by rules; judge: the same by a language model
attacks       what is done to a request to have it answered all the same
intervals     samples -> mean with its 95% interval, paired differences
answering     one question to one reasoner on a declared voice -> what was thought and said, and when
delay         written words and their times -> when each clause sounds, and how long the listener waits
verdicts      item, answer -> the part of a kept line that the question set decides
runs          jobs -> kept lines: resumable, several conversations at once, every item exactly once
subject       the model under test, and a reasoner with a time of its own for each conversation
modes         the command `voice-agent eval`: one set of questions in several modes, and the table (table)
alterations   a question whose number is corrected in mid-thought, and the answer that is then right
injection     where a correction should enter: the experiment behind scripts/compare_injection (injection_table)
gate          when the writer may speak: the experiment behind scripts/calibrate_gate (roc)
reactions     self-doubt and panic in kept lines of corrections
spoken        `voice-agent eval spoken`: questions said to the whole assistant, beside the same as text (spoken_table)
interruptions `voice-agent eval interruptions`: the injection experiment in text, or with spoken corrections
openings      whether wrong openings are withdrawn: the experiment behind scripts/check_openings
report        `voice-agent eval report`: kept lines -> one page with tables, drawings and every item

Kept lines are JSON, one object a line; tables are made from them alone.
"""

"""Kept lines of any number of evaluations -> one HTML page and one Markdown file.

    sources     folders and files -> runs: lines that were made alike, each with its file and line number
    measures    lines of a run -> what is measured of them, with 95% intervals
    failures    wrong answers by kind: recognition, reasoning, gate, writer, placement
    targets     targets.toml and the runs -> which were reached, which not, which not measured
    tables      runs -> tables of plain text, each with the lines it was made from (experiments: of the smaller kinds)
    timeline    what a line or a trace holds of when things happened -> stretches of thoughts, words and sound
    figures     runs -> drawings as SVG, in the colours of the page
    page        everything together, written down (page.html.jinja, page.md.jinja)

Everything is made from the lines alone: no model, no clock, the same lines give the same bytes.
"""

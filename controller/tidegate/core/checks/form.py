"""Rules about the shape of a file, which `misfits` finds broken: keys, kinds of values, words, bounds.

`value` is what a reader says to a value that fits its schema and still means nothing to the program.
"""

from __future__ import annotations

from tidegate.core.checks.rule import Rule

UNKNOWN_KEY = Rule(
    id="unknown-key",
    title="A key that Tidegate does not know",
    why="A key that nobody reads would be ignored, and what it asks for would not happen: a misspelt gate stops no "
    "version. Keys are written exactly as the reference page has them, with their capitals.",
    bad="spec: {gates: {roc_auc: {minimum: 0.8, maxdrop: 0.01}}}",
    good="spec: {gates: {roc_auc: {minimum: 0.8, maxDrop: 0.01}}}",
)
MISSING_KEY = Rule(
    id="missing-key",
    title="A key is missing",
    why="There is no default that could stand in for it. Where one of several sets of keys is asked for, the hint "
    "names them all.",
    bad="spec: {training: {source: training, command: [python, train.py]}}",
    good="metadata: {name: churn}\n"
    "spec:\n"
    "  training: {source: training, command: [python, train.py], lease: 30m}\n"
    "  environments: {production: {}}",
)
WRONG_TYPE = Rule(
    id="wrong-type",
    title="A value of the wrong kind",
    why="A number stands where a text belongs, a text where a list belongs, and so on. Quotes make a text of anything: "
    "a version number such as 1.10 is a number without them, and loses its zero. Keys are always texts, also those of "
    '`parameters`, which reach the training program as JSON: write `"0": 1.5`.',
    bad="spec: {training: {seed: seven}}",
    good="spec: {training: {seed: 7}}",
)
WRONG_VALUE = Rule(
    id="wrong-value",
    title="Not one of the words that are possible here",
    why="The key knows a few words only. They are written in lower case, exactly as the hint has them.",
    bad="spec: {environments: {production: {approval: yes}}}",
    good="spec: {environments: {production: {approval: required}}}",
)
WRONG_FORM = Rule(
    id="wrong-form",
    title="A text that does not have the form that is asked for",
    why="Names, durations, percentages, digests and dates have a fixed form, so that each of them can be read in one "
    "way only. A duration has its unit (`30m`, `1h30m`), a name is in lower case, a digest is whole.",
    bad="spec: {rollout: {bake: 30 minutes}}",
    good="spec: {rollout: {bake: 30m}}",
)
OUT_OF_BOUNDS = Rule(
    id="out-of-bounds",
    title="Too small, too large, too few or too many",
    why="The number, or how many items or keys there are, lies outside of what means anything here. An empty list of "
    "commands trains nothing, and no environments means that no version goes anywhere.",
    bad="spec: {environments: {}}",
    good="spec: {environments: {production: {}}}",
)
VALUE = Rule(
    id="value",
    title="A value that cannot be read",
    why="It has the right form and still means nothing, such as the thirtieth of February. What the program would "
    "refuse when it reads the file is told here already.",
    bad="# tidegate.yaml\nfreeze: [{from: 2027-02-28, until: 2027-02-30, reason: stocktaking}]",
    good="# tidegate.yaml\nfreeze: [{from: 2027-02-28, until: 2027-03-02, reason: stocktaking}]",
)

RULES = (UNKNOWN_KEY, MISSING_KEY, WRONG_TYPE, WRONG_VALUE, WRONG_FORM, OUT_OF_BOUNDS, VALUE)

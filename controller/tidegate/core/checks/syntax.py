"""Rules about text that is no YAML, or more YAML than Tidegate takes; `document` and `composer` find them broken.

Also slips that YAML reads as something else than an author meant, where they end in an error: `misfits` finds those.
What YAML reads without complaint and still not as it looks is `looks`' subject.
"""

from __future__ import annotations

from tidegate.core.checks.rule import Rule

YAML_SYNTAX = Rule(
    id="yaml-syntax",
    title="The file is not YAML",
    why="Nothing of a file is read before all of it can be. The message says what most likely happened, and stands "
    "where it did. Quotes make a text of anything that YAML would read as its own signs.",
    bad="metadata: {name: churn, owners: [@dana]}",
    good='metadata: {name: churn, owners: ["@dana"]}',
)
MERGE_CONFLICT = Rule(
    id="merge-conflict",
    title="A merge conflict was left in the file",
    why="The lines between `<<<<<<<`, `=======` and `>>>>>>>` are two versions of the same place. Keep what should "
    "stand, and remove the marked lines.",
    bad="metadata:\n<<<<<<< HEAD\n  name: churn\n=======\n  name: attrition\n>>>>>>> main",
    good="metadata:\n  name: attrition",
)
PROMQL_IN_FLOW = Rule(
    id="promql-in-flow",
    title="An expression that YAML cuts short",
    why="Inside `{…}` and `[…]` a text without quotes ends at a comma, a bracket or a brace, and one that begins with "
    "a brace is a mapping. PromQL is full of them. Put the expression in single quotes, because it holds double ones, "
    "or on lines of its own behind `|`.",
    bad='spec: {objectives: {errors: {bad: replies_total{code=~"5.."}, total: replies_total, target: 99%}}}',
    good="spec: {objectives: {errors: {bad: 'replies_total{code=~\"5..\"}', total: replies_total, target: 99%}}}",
)
TEMPLATE_WITHOUT_QUOTES = Rule(
    id="template-without-quotes",
    title="A placeholder without quotes",
    why="A text that begins with `{{` is a mapping in a mapping to YAML. In quotes it stays the text that is filled in "
    "later.",
    bad="spec: {training: {command: [python, train.py, {{ parameters.depth }}]}}",
    good='spec: {training: {command: [python, train.py, "{{ parameters.depth }}"]}}',
)
TAB = Rule(
    id="tab",
    title="A tab where YAML wants spaces",
    why="Editors show a tab as two, four or eight columns, so YAML takes none as indentation, and none between a key "
    "and its value. Let the editor insert spaces.",
    bad="metadata:\n\tname: churn",
    good="metadata:\n  name: churn",
)
BAD_CHARACTER = Rule(
    id="bad-character",
    title="A character that may not stand in a YAML file",
    why="Control characters, NUL bytes, single carriage returns and the line breaks of Unicode are shown by no editor, "
    "and readers of YAML do not agree about them. Files of UTF-16 are full of NUL bytes. Save the file as UTF-8; in "
    "double quotes a character can be written as an escape, such as `\\x07`.",
    bad="metadata: {name: churn} # \x07",
    good="metadata: {name: churn} # beep",
)
BAD_ENCODING = Rule(
    id="bad-encoding",
    title="The file is not UTF-8",
    why="Files are UTF-8, the encoding of git, YAML and JSON. Some editors of Windows save UTF-16 or a local code "
    "page; choose UTF-8 when saving.",
    bad="metadata: {name: churn, labels: {team: Caf\udce9}}",
    good="metadata: {name: churn, labels: {team: Café}}",
)
TOO_LARGE = Rule(
    id="too-large",
    title="The file is too large",
    why="A file of more than 250,000 characters is not written by hand, and reading it would hold up everybody "
    "else's. Keep data outside of the repository and refer to it by `uri` and `digest`.",
    bad="# " + "data " * 50_000,
    good="metadata: {name: churn}",
)
TOO_DEEP = Rule(
    id="too-deep",
    title="Nested too deeply",
    why="No file of ours nests deeper than ten levels. What does was made by a program that went wrong, or to bring "
    "readers down.",
    bad="metadata: " + "[" * 65 + "]" * 65,
    good="metadata: {name: churn}",
)
TOO_MANY_VALUES = Rule(
    id="too-many-values",
    title="Too many values",
    why="Aliases that repeat aliases make a gigabyte of a few lines. Files are counted as if each alias were written "
    "out. Keep data outside of the repository and refer to it by `uri` and `digest`.",
    bad="a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
    "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
    "e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]",
    good="metadata: {name: churn}",
)
SEVERAL_DOCUMENTS = Rule(
    id="several-documents",
    title="Several documents in one file",
    why="Behind a line `---` a new document begins. A manifest is one document: a proposal that edits one would not "
    "know which is meant.",
    bad="metadata: {name: churn}\n---\nmetadata: {name: attrition}",
    good="metadata: {name: churn}",
)
DUPLICATE_KEY = Rule(
    id="duplicate-key",
    title="The same key twice in a mapping",
    why="Readers of YAML keep one of the two and do not say which. An objective that is there twice would be judged "
    "by half of what was written.",
    bad="spec:\n  rollout: {bake: 1h}\n  rollout: {steps: [10%, 50%]}",
    good="spec:\n  rollout: {bake: 1h, steps: [10%, 50%]}",
)
MERGE_KEY = Rule(
    id="merge-key",
    title="A merge key",
    why="`<<: *name` copies the keys of another mapping. It was taken out of YAML 1.2, and a reviewer would have to "
    "put together what the file says. Common settings belong into the workspace's `defaults` and `presets`, or into "
    "`spec.rollout`, which environments override key by key.",
    bad="spec:\n  rollout: &common {bake: 1h}\n  environments:\n    production:\n      rollout:\n        <<: *common",
    good="spec:\n  rollout: {bake: 1h}\n  environments:\n    production: {}",
)
COMPLEX_KEY = Rule(
    id="complex-key",
    title="A list or a mapping as a key",
    why="YAML allows it, no file of ours has use for it. Mostly it is a text that begins with a bracket and lacks "
    "its quotes.",
    bad="metadata: {[name]: churn}",
    good="metadata: {name: churn}",
)
UNDEFINED_ALIAS = Rule(
    id="undefined-alias",
    title="An alias to nothing",
    why="A text that begins with `*` repeats what was marked with `&` above it. Where none is meant, such as in "
    "`*.csv`, it needs quotes.",
    bad="spec: {training: {parameters: {files: *.csv}}}",
    good='spec: {training: {parameters: {files: "*.csv"}}}',
)
UNKNOWN_TAG = Rule(
    id="unknown-tag",
    title="A tag that has no meaning here",
    why="A text that begins with `!` names a type, such as the `!Ref` or `!vault` of other programs. Tidegate knows "
    "the types of YAML itself and no other.",
    bad="metadata: {name: !lower Churn}",
    good="metadata: {name: churn}",
)
BAD_SCALAR = Rule(
    id="bad-scalar",
    title="A value that its type cannot hold",
    why="A text behind `!!int` is no number, a number has a thousand digits, or an escape stands for half of a "
    "character. Nothing in our files needs any of them.",
    bad="spec: {training: {seed: !!int seven}}",
    good="spec: {training: {seed: 7}}",
)

RULES = (
    YAML_SYNTAX,
    MERGE_CONFLICT,
    PROMQL_IN_FLOW,
    TEMPLATE_WITHOUT_QUOTES,
    TAB,
    BAD_CHARACTER,
    BAD_ENCODING,
    TOO_LARGE,
    TOO_DEEP,
    TOO_MANY_VALUES,
    SEVERAL_DOCUMENTS,
    DUPLICATE_KEY,
    MERGE_KEY,
    COMPLEX_KEY,
    UNDEFINED_ALIAS,
    UNKNOWN_TAG,
    BAD_SCALAR,
)

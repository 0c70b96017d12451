"""What a change does when merged: from the facts of two states to a Plan, and from a Plan to sentences.

`plan` holds the types, `state` the facts, `change` makes the one from the other with `training`, `walk`, `policy`,
`pins` and `fate`; `fields` and `objectives` find what differs, `acting` where that acts; `settings` and `freezes` are
about the workspace, `backtest` about past rollouts. `effective` writes a manifest with its defaults.
`wording`, `details` and `outline` say it. Not here: reading the two states, and the formats that are printed.
"""

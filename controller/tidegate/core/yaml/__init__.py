"""YAML as text: what a file says, where it says it, and how to write or edit it so that every other byte stays.

`document` reads: an ordinary file by libyaml's events (`ordinary`), any other by ruamel (`composer`, with `causes` for
what went wrong); `nodes` are what both make, `scalars` say what a word means. `splice` edits with `layout` and `cuts`,
and `difference` proves that nothing else changed. Not here: what the values mean to us.
"""

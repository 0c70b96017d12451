"""From raw samples to a verdict: how a version is judged while it is a canary, bakes, or is on probation.

`questions` say what must be judged, `queries` which series answer that, `reading` what came back or why not, `counts`
cut it into cells, `comparison` weighs them, `serving` says since when a version serves; `judgement` answers with a
`verdict`. Not here: what follows from one.
"""

"""Prometheus rules for objectives: multi-window multi-burn-rate alerts and the series that they read.

`burn_rate` holds the windows and factors, `queries` the expressions, `alerts` which rules an objective gets, `wording`
what an alert says, `rule_file` the text that Prometheus reads. Not here: how a rollout is judged.
"""

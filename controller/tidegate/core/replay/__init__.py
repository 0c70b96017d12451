"""Replay of real rollouts through the same `judge` and `decide` that run live (DESIGN.md section 6, backtest).

Here: which rollouts there were, what was true at any instant of them, what would have been decided, and the words for
it. Not here: reading git and Prometheus (`steps.past`, `steps.replaying`).
"""

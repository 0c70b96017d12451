"""Launchers: each starts a training run on one kind of infrastructure and detaches."""

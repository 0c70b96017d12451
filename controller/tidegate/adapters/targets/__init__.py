"""What serves a model: one file a target, each renders the desired state for it. Nothing here talks to a cluster."""

"""Approvals, pure: which ones a pull request needs, and which ones it has. What they lead to is `authorise`'s."""

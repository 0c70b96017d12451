"""From settings to adapters: the only place that names them all.

`context` serves the commands that read and write what is proposed, `checkout` those that look at files on disk.
"""

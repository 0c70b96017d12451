"""Runs composite actions and reads workflows as GitHub does: its own parser and expressions, real bash, real files.

The grammar is asked of `engine.mjs`, which runs GitHub's own packages; steps are run here. `npm ci` in this folder
brings the packages (`make test` does it).
"""

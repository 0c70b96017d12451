"""A GitHub for tests: stateful, on bare git repositories, over loopback HTTP; its answers are checked against
GitHub's own description (data/). It shares no code with the adapter that it puts to the test.

Tests use `FakeGitHub` of server.py. One module is one subject of GitHub's API; routing.py says how they hang together.
"""

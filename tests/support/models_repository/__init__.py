"""A models repository made from the template, on the fake GitHub: its workflows run as GitHub would start them, a
made-up service serves what main says, and people type what docs/getting-started.md tells them.

What stands in for what cannot run here is listed in third_party.py, one by one.
"""

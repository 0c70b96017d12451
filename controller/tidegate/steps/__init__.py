"""The steps that use cases share: read what is desired, observe what is true, measure, propose and merge.

They ask the ports and call the core; which of them run, and in which order, is a verb's business.
"""

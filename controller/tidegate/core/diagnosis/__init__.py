"""What `tidegate doctor` makes of what it saw: facts in, remarks out, a module a subject; `catalogue` lists the rules.

Every sentence that a person reads there stands here. Looking is the adapters' work. A fact that could not be had says
why; it is never taken for health.
"""

"""What the actions of this repository run: `python -I -m tidegate.action NAME`, with the inputs in the environment.

Each module named like an action turns inputs into the words of one command, runs the program, and tells the runner
what came of it: outputs, job summary, annotations, comment. What is decided, the program decides.
"""

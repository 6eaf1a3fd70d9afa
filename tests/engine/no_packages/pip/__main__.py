"""Stands in for pip when the engine asks for the installed packages.

Before each command the engine runs `python -m pip list` to find packages that bring a Pulumi plugin of their own. The
project has none, and pip takes longer than the program; so this answers at once that nothing is installed.
"""

print("[]")

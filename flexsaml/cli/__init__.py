"""`python -m flexsaml COMMAND`: one module for each command, imported when it is asked for.

Exit status: 0 fine, 1 findings, 2 usage or could not look.
"""

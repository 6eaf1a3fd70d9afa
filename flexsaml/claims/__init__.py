"""Claims of a claims mapping policy: typed, and their definition string.

Pure: standard library only, no input or output.
"""

from .codec import Unreadable, decode, encode, is_our_make, normal, same_meaning
from .model import FULL_NAME, Claim, ClaimsPolicy, Unclear

__all__ = [
    "FULL_NAME",
    "Claim",
    "ClaimsPolicy",
    "Unclear",
    "Unreadable",
    "decode",
    "encode",
    "is_our_make",
    "normal",
    "same_meaning",
]

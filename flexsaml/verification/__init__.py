"""Judging a captured SAML response: who signed it, for whom and when it is valid, and what Flex makes of it. Only
`python -m flexsaml verify` imports this room: it loads XML and cryptography libraries."""

from .checks import GIVE_METADATA, MAX_CLOCK_SKEW, CannotVerify, Expected, ResponseRefused, format_time, parse_time
from .metadata import TrustedCertificates, build_metadata_url, fetch_metadata, parse_certificates, parse_metadata
from .pasted import MAX_BYTES
from .response import is_response, parse_response
from .verdict import DeclaredClaims, Verdict, judge_response

__all__ = [
    "GIVE_METADATA", "MAX_BYTES", "MAX_CLOCK_SKEW", "CannotVerify", "DeclaredClaims", "Expected", "ResponseRefused",
    "TrustedCertificates", "Verdict", "build_metadata_url", "fetch_metadata", "format_time", "is_response",
    "judge_response", "parse_certificates", "parse_metadata", "parse_response", "parse_time",
]  # fmt: skip

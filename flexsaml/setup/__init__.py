"""The registration that runs a stack, with the least privileges it takes: what is wanted beside what exists, as steps
that are shown, carried out, or printed for somebody else."""

from .adoption import check_adoption, list_unexpected
from .azure_cli import render_steps
from .credentials import AUDIENCES, MAX_CERTIFICATE_BYTES, parse_azure_pipelines, parse_github, read_certificate
from .plan import CLIENT, MARK, Existing, Step, Wanted, list_surplus, plan_steps, references_of
from .rights import MODES, choose_permissions, list_needs
from .tenant import StepRefused, carry_out, find_owned_objects, find_registration, read_existing

__all__ = [
    "AUDIENCES",
    "CLIENT",
    "MARK",
    "MAX_CERTIFICATE_BYTES",
    "MODES",
    "Existing",
    "Step",
    "StepRefused",
    "Wanted",
    "carry_out",
    "check_adoption",
    "choose_permissions",
    "find_owned_objects",
    "find_registration",
    "list_needs",
    "list_surplus",
    "list_unexpected",
    "parse_azure_pipelines",
    "parse_github",
    "plan_steps",
    "read_certificate",
    "read_existing",
    "references_of",
    "render_steps",
]

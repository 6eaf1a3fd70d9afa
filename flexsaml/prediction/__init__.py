"""What a sign-in will deliver to Flex, and the evidence for it (the rules of docs/sign-in.md)."""

from .comparison import WorkerComparison, compare_policies, compare_worker
from .evidence import CONFIDENCE_LEVELS, MEASURED, UNKNOWN, Inference, apply_measurements, load_rules, rate_evidence
from .inspection import DeclaredValues, Scenario, SignInPredictions, find_assigned_policy, predict_sign_ins
from .outcome import OUTCOMES, SignInVerdict
from .policy import SignInPolicy, parse_policy
from .predict import Prediction

__all__ = [
    "CONFIDENCE_LEVELS",
    "MEASURED",
    "OUTCOMES",
    "UNKNOWN",
    "DeclaredValues",
    "Inference",
    "Prediction",
    "Scenario",
    "SignInPolicy",
    "SignInPredictions",
    "SignInVerdict",
    "WorkerComparison",
    "apply_measurements",
    "compare_policies",
    "compare_worker",
    "find_assigned_policy",
    "load_rules",
    "parse_policy",
    "predict_sign_ins",
    "rate_evidence",
]  # fmt: skip

"""What a sign-in will deliver to Flex, and the evidence for it (the rules of docs/sign-in.md)."""

from .comparison import WorkerComparison, compare_policies, compare_worker
from .evidence import CONFIDENCE_LEVELS, UNKNOWN, Inference
from .inspection import DeclaredValues, Scenario, SignInPredictions, find_assigned_policy, predict_sign_ins
from .policy import SignInPolicy, parse_policy
from .predict import OUTCOMES, Prediction

__all__ = [
    "CONFIDENCE_LEVELS", "OUTCOMES", "UNKNOWN", "DeclaredValues", "Inference", "Prediction", "Scenario",
    "SignInPolicy", "SignInPredictions", "WorkerComparison", "compare_policies", "compare_worker",
    "find_assigned_policy", "parse_policy", "predict_sign_ins",
]  # fmt: skip

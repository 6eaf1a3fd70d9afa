"""Two enterprise applications from one base; what differs stands in one place. Production's agents are in a roster."""

from typing import Any

import pulumi
from flexsaml.components import FlexSamlClaims, FlexSamlClaimsArgs

CLAIMS = {
    "nameid": "user.userprincipalname",
    "email": "user.mail",
    "full_name": "user.displayname",
    "roles": "user.assignedroles",
    "languages.stringarray": "extension.languages",  # Flex makes a list of it
    "level.int": "extension.level",
}
EXTENSIONS = {"languages": "String", "level": "Integer"}
ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "staging": {
        "service_principal": "Twilio Flex Staging",
        "users": {"ada@contoso.example": {"languages": "en,de", "level": 3}},
    },
    "production": {
        "service_principal": "Twilio Flex",
        "users_file": "agents.csv",
        "rules": {"user-disabled": "error"},  # here a disabled agent stops the run
    },
}

for name, differences in ENVIRONMENTS.items():
    flex = FlexSamlClaims(name, FlexSamlClaimsArgs(claims=CLAIMS, extensions=EXTENSIONS, **differences))
    pulumi.export(name, {"principal": flex.service_principal_id, "extensions": flex.extensions})

"""Programs of golden states, as users write them. A helper, not a test."""

from __future__ import annotations

PROGRAM = """\
from providers import ClaimsMappingPolicy, ExtensionProperty, PolicyAssignment, UserExtensionValue

languages = ExtensionProperty(
    "languages", application_id="{application_id}", app_id="{app_id}", name="languages", data_type="String"
)
UserExtensionValue(
    "ada",
    user="ada@contoso.example",
    values={{"{languages}": "en,de", "{team}": "blue"}},
    types={{"{languages}": "String", "{team}": "String"}},
    extensions={{"{languages}": languages.id, "{team}": "{application_id}/{team_id}"}},
)
policy = ClaimsMappingPolicy(
    "policy",
    display_name="Flex, alone",
    claims={{
        "nameid": "user.userprincipalname",
        "email": "user.mail",
        "full_name": "user.displayname",
        "roles": "user.assignedroles",
        "languages.stringarray": "extension.languages",
    }},
    extensions={{"languages": languages.full_name}},
)
PolicyAssignment("assignment", service_principal_id="{principal_id}", policy_id=policy.id)
"""


HOST_PROGRAM = """\
import os

from flexsaml.components import FlexSamlClaims, FlexSamlClaimsArgs

FlexSamlClaims(
    "flex",
    FlexSamlClaimsArgs(
        service_principal="Twilio Flex",
        claims={
            "nameid": "user.userprincipalname",
            "email": "user.mail",
            "full_name": "user.displayname",
            "roles": "user.assignedroles",
            "team": "extension.team",
        },
        extensions={"team": "String"},
        users={"ada@contoso.example": {"team": os.environ.get("TEAM", "red")}},
        users_file="agents.csv",
        replace_existing=True,
    ),
)
"""

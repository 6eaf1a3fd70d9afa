"""`login`: signs a person in by device code with an application registration of one's own, for the commands and
`pulumi` on this machine. Asks nothing of Microsoft Graph. Exit status: 0 signed in, 2 wrong usage, refused or not
signed in."""

import argparse
import os
import shlex
from datetime import datetime

from flexsaml.errors import UserError
from flexsaml.graph import Cloud, PublicClient, cloud, sign_in
from flexsaml.terminal_text import print_lines

_CLOUDS = ("public", "usgov", "usgov-dod", "china")  # the sandbox has an identity of its own


def arguments(parser: argparse.ArgumentParser) -> None:
    client = "appId of the registration, a public client; default: AZURE_CLIENT_ID"
    parser.add_argument("--client-id", default=os.environ.get("AZURE_CLIENT_ID", ""), metavar="ID", help=client)
    tenant = "id or domain of the tenant; default: AZURE_TENANT_ID"
    parser.add_argument("--tenant", default=os.environ.get("AZURE_TENANT_ID", ""), metavar="ID", help=tenant)
    parser.add_argument("--cloud", default="public", choices=_CLOUDS, help="default: public")
    plain = "keep the tokens in a file that only you can read, where this machine cannot encrypt them"
    parser.add_argument("--unencrypted", action="store_true", help=plain)


def run(given: argparse.Namespace) -> int:
    for name, option in (("client_id", "--client-id"), ("tenant", "--tenant")):
        if not getattr(given, name):
            raise UserError(f"give {option} (docs/login.md says which registration it takes)")
    return announce(cloud(given.cloud), PublicClient(given.client_id, given.tenant, given.unencrypted))


def announce(where: Cloud, client: PublicClient) -> int:
    """Signs a person in, and tells what makes the commands use it."""
    name = sign_in(where, client, _show)
    choice = f"FLEXSAML_SIGN_IN=device-code AZURE_CLIENT_ID={shlex.quote(client.client_id)}"
    export = f"export {choice} AZURE_TENANT_ID={shlex.quote(client.tenant)}"
    print_lines([f"{name} is signed in. `pulumi` and the commands use it in a shell with", export])
    return 0


def _show(address: str, code: str, until: datetime) -> None:
    print_lines([f"Open {address} in a browser and enter the code {code}, until {until:%H:%M} UTC."])

"""The resource kinds: what each asks for, and what it does in the tenant. Plain dicts in and out, nothing of Pulumi.
`providers.dynamic` makes them dynamic resources; a plugin could serve them as they are."""

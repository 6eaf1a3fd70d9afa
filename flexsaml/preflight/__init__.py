"""The read-only inspection of the tenant before a change, and the findings about it."""

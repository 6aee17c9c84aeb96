"""The checks: what each one asks, as pure functions of a policy and a resource."""

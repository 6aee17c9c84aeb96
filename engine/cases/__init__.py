"""Policy tests as data: cases of a resource and what a policy has to say about it, run like any plan."""

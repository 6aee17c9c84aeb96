"""Carrying out a plan, through Protocols: the order of lease, fresh look, intent, act, look again, outcome. Pure."""

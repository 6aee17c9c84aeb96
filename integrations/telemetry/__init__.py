"""Telemetry sources: what they share, how their samples are joined to what is billed, and how they are merged."""

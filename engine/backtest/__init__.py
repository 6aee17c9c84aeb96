"""Policies replayed over recorded telemetry: what they would have done, saved and disturbed."""

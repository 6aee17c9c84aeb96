"""The core: policy text to policies, resources to verdicts, findings to a plan. Pure functions of their arguments."""

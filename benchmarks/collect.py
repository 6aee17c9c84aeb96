"""API calls and wall time of a plan over the demo's emulated AWS account, shipped policies and all."""

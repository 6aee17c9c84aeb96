"""GPU telemetry of this machine, read through NVML and published: `bursar agent`."""

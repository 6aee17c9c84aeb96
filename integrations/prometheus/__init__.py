"""GPU telemetry from a Prometheus-compatible server: the DCGM exporter and `bursar agent`."""

"""What reads or talks: clouds, telemetry, prices, snapshots."""

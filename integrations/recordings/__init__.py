"""Files of recorded telemetry, read for replays."""

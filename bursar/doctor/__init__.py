"""What `bursar doctor` looks at: everything a run stands on, one thing after the other, changing nothing."""

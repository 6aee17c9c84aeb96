"""What Bursar remembers between runs: records, their store's Protocol, the ledger, the lifecycle of findings. Pure."""

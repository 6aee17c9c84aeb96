"""The control frameworks that findings can be reported by."""

"""What changes the world. One remediation a file."""

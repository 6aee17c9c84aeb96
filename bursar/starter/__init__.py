"""What `bursar init` writes, as files: a configuration, a first pack and a workflow."""

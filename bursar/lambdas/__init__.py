"""The handlers that AWS Lambda calls, one a module; `make lambda` packs them."""

"""Policy text to `Policy` values: the document's shape, the loader and the JSON Schema."""

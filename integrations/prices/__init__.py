"""Price catalogues and the files that override them."""

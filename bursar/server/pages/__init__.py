"""One module a page: what is asked for, to what its template shows."""

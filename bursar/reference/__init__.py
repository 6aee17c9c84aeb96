"""The reference pages, written from the program itself: `make docs` writes them, a test compares them."""

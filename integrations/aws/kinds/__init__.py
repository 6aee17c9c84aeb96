"""The AWS kinds: one file of declarations and a normaliser each."""

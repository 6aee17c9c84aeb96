"""The expression language: CEL's surface, three-valued logic, our own parser, checker and two evaluators."""

"""The subcommands: each reads its options, calls the engine and renders what came back."""

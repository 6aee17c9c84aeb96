"""Plans, explanations and problems to text: each format in a module of its own, none of them decides anything."""

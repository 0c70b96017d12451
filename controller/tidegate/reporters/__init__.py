"""How results are printed: as text for people, as JSON for programs. What is printed is up to the commands."""

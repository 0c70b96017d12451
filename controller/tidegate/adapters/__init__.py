"""Outside systems, one file a system. Siblings do not know each other; `wiring` picks them."""

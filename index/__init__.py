"""Finds: capability cards, the facts they state with their sources, and the search over them."""

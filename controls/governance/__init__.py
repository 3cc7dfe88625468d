"""Who owns what, and of which class it is, is stated."""

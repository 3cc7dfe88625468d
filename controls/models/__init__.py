"""Where models may come from, and that none brings code of its own."""

"""Security properties stay under the program's control."""

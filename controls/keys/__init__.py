"""What is stored lies under keys that the customer holds."""

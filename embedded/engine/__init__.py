"""Pulumi, run privately for the stack of one plane: its own home, state, passphrase and stack file."""

"""Images come from where the profile says, and by digest."""

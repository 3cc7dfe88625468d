"""The platform can leave a provider, and run without one."""

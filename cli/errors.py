"""Exit codes, and the error of a request that makes no sense. Imports nothing: every command begins here."""

import errno

FAILED, WRONG = 1, 2
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class UsageError(Exception):
    """What was asked for makes no sense; exits with 2."""

"""The one error of the tools."""


class ToolFailure(Exception):
    """The tool did not do its work; the text is the one line that the Job's log ends with."""

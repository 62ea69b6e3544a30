"""Who is at the keyboard: the name that records are kept under where nobody signed in."""

import getpass
import os


def who() -> str:
    """Name of the system's user, or the number of one who has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number and no name
        return f"user {os.getuid()}"

"""What the doctor says, as its lines."""

from filevault.doctor import examine


def lines(*parts: str) -> list[str]:
    """Every line of some parts."""
    return [str(finding) for finding in examine(parts)]


def failures(*parts: str) -> list[str]:
    """Those that fail."""
    return [line for line in lines(*parts) if line.startswith("FAIL")]


def the_failure(*parts: str) -> str:
    """The one line that fails; all others are ok."""
    (found,) = failures(*parts)
    return found

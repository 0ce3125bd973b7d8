"""The people of the tests: practitioners A and B (REQUIREMENTS.md)."""

from dataclasses import dataclass

from accounts.actors import Practitioner
from accounts.tables import User
from filevault.dynamo import now


@dataclass(frozen=True)
class Cast:
    a: Practitioner
    b: Practitioner


def make_practitioner(name: str, email: str, number: int) -> Practitioner:
    """A practitioner with a profile row."""
    user_id = f"00000000-0000-5000-8000-{number:012d}"
    User(
        user_id,
        issuer="https://login.example.test/pool",
        subject=f"subject-{number}",
        email=email,
        email_verified=True,
        display_name=name,
        practice=f"Practice {number}",
        created_at=now(),
    ).save()
    return Practitioner(user_id, name, f"Practice {number}", email, address="192.0.2.1")


def make_cast() -> Cast:
    return Cast(
        a=make_practitioner("Dr Anna Novak", "anna.novak@example.test", 1),
        b=make_practitioner("Ben Okafor", "ben.okafor@example.test", 2),
    )

"""Who is asking. Every rule takes an actor; none looks at a request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A signed-in professional. `address` is the trusted client address, for the audit trail."""

    user_id: str
    display_name: str
    practice: str
    email: str
    is_admin: bool = False
    address: str = ""

    @property
    def actor_id(self) -> str:
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class CaseClient:
    """A client whose invitation was read for this very request: one case and nothing else (I9)."""

    client_id: str
    case_id: str
    practitioner_id: str
    display_name: str = ""
    address: str = ""

    @property
    def actor_id(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, slots=True)
class System:
    """The product itself: the worker, a command."""

    name: str = "worker"
    display_name: str = "Filevault"
    address: str = ""

    @property
    def actor_id(self) -> str:
        return f"system:{self.name}"


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody known: a bad link, a failed login."""

    address: str = ""
    display_name: str = ""

    @property
    def actor_id(self) -> str:
        return "anonymous"


Actor = Practitioner | CaseClient | System | Anonymous

WORKER = System()

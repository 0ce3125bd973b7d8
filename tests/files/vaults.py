"""Vaults for tests: practitioners who are found by their address, and files of their own."""

from datetime import datetime

from accounts import profiles
from accounts.actors import Practitioner
from accounts.profiles import Identity
from accounts.tables import User
from files import uploads
from files.spaces import Space
from files.tables import File
from files.vault import vault_of
from filevault.dynamo import id_at, new_id, now
from filevault.mail import address_hash
from tests.cast import make_practitioner
from tests.files import samples
from tests.files.space import put

ISSUER = "https://login.example.test/pool"
#: The address of `b`, which is proved.
BEN = "ben.okafor@example.test"
#: One that nobody has proved.
STRANGER = "nobody.yet@example.test"


def known(name: str, number: int) -> Practitioner:
    """A practitioner whose address is proved, such as `ben.okafor@example.test`."""
    email = f"{name.lower().replace(' ', '.')}@example.test"
    person = make_practitioner(name, email, number)
    User(person.user_id).update([User.email_hash.set(address_hash(email))])
    return person


def log_in(email: str, *, verified: bool = True, subject: str = "newcomer") -> Practitioner:
    """Somebody comes in by the provider, perhaps for the first time."""
    identity = Identity(ISSUER, subject, email=email, email_verified=verified)
    return profiles.practitioner_of(profiles.sign_in(identity, address="192.0.2.9"))


def own_file(owner: Practitioner, name: str = "letter.pdf", content: bytes = samples.PDF) -> File:
    """An available file in somebody's vault."""
    space = vault_of(owner)
    file, _post = uploads.begin(owner, space, file_name=name, size=len(content))
    put(file, content)
    return uploads.confirm(owner, space, file.file_id)


def image_row(space: Space, *, at: datetime | None = None, name: str = "photo.jpg") -> File:
    """The row of an image with its pictures, not saved."""
    return File(
        space.space_id,
        id_at(at) if at else new_id(),
        owner_id=space.owner_id,
        file_name=name,
        s3_key=f"{space.storage_prefix}{new_id()}",
        version_id="file-version",
        size=9,
        mime_type="image/jpeg",
        thumb_version_id="thumb-version",
        preview_version_id="preview-version",
        state="AVAILABLE",
        image_space=space.space_id,
        uploaded_by=f"user:{space.owner_id}",
        created_at=at or now(),
        upload_expires_at=at or now(),
    )

"""The profile behind an access token, by which programs act for a practitioner."""

from accounts import oidc, profiles
from accounts.tables import User


def recognise(token: str, *, address: str) -> User:
    """Whom a token names; made with the first one, as at a first login. One that is there stays as
    it is, since a token tells less than a login. Raises `TokenRefused`, `Deactivated` and
    `Unavailable`."""
    identity = oidc.check_access_token(token)
    profile = User.fetch(identity.user_id)
    if profile is None:
        return profiles.sign_in(identity, address=address)
    if profile.deactivated_at is not None:
        raise profiles.Deactivated
    return profile

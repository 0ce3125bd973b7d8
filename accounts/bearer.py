"""The profile behind an access token, by which programs act for a practitioner."""

from accounts import oidc, profiles, userinfo
from accounts.tables import User


def recognise(text: str, *, address: str) -> User:
    """Whom a token names; made with the first one, as at a first login. One that is there stays as
    it is, since a token tells less than a login. Raises `TokenRefused`, `Deactivated` and
    `Unavailable`."""
    token = oidc.check_access_token(text)
    profile = User.fetch(token.identity.user_id)
    if profile is None:
        profile = profiles.introduce(userinfo.complete(token), address=address)
    if profile.deactivated_at is not None:
        raise profiles.Deactivated
    return profile

"""The ORM's side of a user: what Django's admin and its permissions need, and nothing more.

The profile stands in `accounts.tables.User`; a lost row here is made anew at the next login.
"""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

#: The issuer of users who were made by `createsuperuser`, for the password form alone.
BREAK_GLASS_ISSUER = "break-glass"

#: Never change it: profiles are found again by it.
_NAMESPACE = uuid.UUID("7d6a3c1e-56f3-5e0b-9a64-2f1f0d6c7b11")


def user_id_of(issuer: str, subject: str) -> str:
    """A user's id: the UUIDv5 of issuer and subject (L3). An issuer is a URL and holds no space, so
    that no two pairs give the same text."""
    return str(uuid.uuid5(_NAMESPACE, f"{issuer} {subject}"))


class UserManager(BaseUserManager["User"]):
    """Makes the users of the password form; all others come from `sign_in`."""

    def create_superuser(self, username: str, password: str, **fields: Any) -> "User":
        """For `manage.py createsuperuser`: may use the password form where BREAK_GLASS is set."""
        user = self.model(
            user_id=user_id_of(BREAK_GLASS_ISSUER, username),
            issuer=BREAK_GLASS_ISSUER,
            subject=username,
            username=username,
            is_staff=True,
            is_superuser=True,
            **fields,
        )
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """`issuer` and `subject` say who it is; everything else is a copy from the last login.
    `is_staff` and `is_superuser` follow the provider's group at each login."""

    user_id = models.UUIDField(primary_key=True, editable=False)
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    username = models.CharField(max_length=255, unique=True)
    email = models.EmailField(max_length=254, blank=True)
    display_name = models.CharField(max_length=120, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="user_issuer_subject")
        ]

    def __str__(self) -> str:
        return self.display_name or self.email or self.username

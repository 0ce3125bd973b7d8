"""Queries: a name that an operation doesn't know is refused, as a body's unknown field is, and so
is one that is given twice."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_args, get_origin

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.params.models import Query

from filevault.errors import Invalid


def refuse_unknown(view: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that takes the queries of its signature, each once, and no others."""
    known = set(_query_names(view))

    @wraps(view)
    def strict(request: HttpRequest, **values: Any) -> Any:
        unknown = sorted(set(request.GET) - known)
        if unknown:
            raise Invalid(fields=dict.fromkeys(unknown, _("Unknown field.")))
        repeated = sorted(name for name, given in request.GET.lists() if len(given) > 1)
        if repeated:  # whoever reads the first of two must not decide otherwise than we do
            raise Invalid(fields=dict.fromkeys(repeated, _("This was given more than once.")))
        return view(request, **values)

    return strict


def _query_names(view: Callable[..., Any]) -> list[str]:
    hints = [parameter.annotation for parameter in inspect.signature(view).parameters.values()]
    sources = [get_args(hint)[-1] for hint in hints if get_origin(hint) is Annotated]
    return [source.alias or "" for source in sources if isinstance(source, Query)]

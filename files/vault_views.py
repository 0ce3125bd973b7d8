"""Pages of the vault: own files and who has access to them, what others share, the gallery."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import PractitionerRequest, add_errors, posted, practitioner_required
from files import downloads, records, sharing, viewing
from files.forms import ShareForm
from files.guards import redirect_to_storage, send_download
from files.sections import files_section
from files.shared import get_shared
from files.vault import vault_of
from files.vault_sections import gallery_section, shared_section
from filevault.errors import Invalid, NotFound

#: The namespace under which the files of a vault stand.
ROUTE = "vault-files"


@require_safe
@practitioner_required
def list_mine(request: PractitionerRequest) -> HttpResponse:
    cursor = request.GET.get("cursor", "")
    context = files_section(request.actor, vault_of(request.actor), route=ROUTE, cursor=cursor)
    used = int(records.get_usage(request.actor.user_id).bytes_used)
    context |= {"used": used, "quota": settings.STORAGE_QUOTA_BYTES}
    return render(request, "files/vault.html", context)


@require_safe
@practitioner_required
def home(request: PractitionerRequest, space_id: str) -> HttpResponse:
    """One level above the files, where their pages lead back to."""
    if space_id != vault_of(request.actor).space_id:
        raise NotFound
    return redirect("vault:mine")


@require_safe
@practitioner_required
def gallery(request: PractitionerRequest) -> HttpResponse:
    """A script puts the page under the one before it; then a day goes on without its heading."""
    scripted = request.headers.get("HX-Request") == "true"
    context = gallery_section(
        request.actor,
        vault_of(request.actor),
        route=ROUTE,
        cursor=request.GET.get("cursor", ""),
        after=request.GET.get("after", "") if scripted else "",
    )
    response = render(request, "files/gallery.html", context)
    patch_vary_headers(response, ("HX-Request",))
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def share(request: PractitionerRequest, file_id: str) -> HttpResponse:
    space = vault_of(request.actor)
    form = ShareForm(posted(request))
    if form.is_valid() and _share(request, file_id, form):
        text = _("%(email)s can read the file after signing in with this address.")
        messages.success(request, text % form.cleaned_data)
        return redirect("vault:sharing", file_id=file_id)
    context = {
        "shares": sharing.get_shares(request.actor, space, file_id),
        "file": records.get_file(space, file_id),
        "form": form,
        "is_personal": space.is_personal,
    }
    return render(request, "files/sharing.html", context, status=422 if form.errors else 200)


@require_POST
@practitioner_required
def unshare(request: PractitionerRequest, file_id: str) -> HttpResponse:
    sharing.unshare(
        request.actor,
        vault_of(request.actor),
        file_id,
        email=request.POST.get("email"),
        user_id=request.POST.get("userId"),
    )
    messages.success(request, _("The access was taken back. It ends at the next click."))
    return redirect("vault:sharing", file_id=file_id)


@require_safe
@practitioner_required
def list_shared(request: PractitionerRequest) -> HttpResponse:
    context = shared_section(request.actor, cursor=request.GET.get("cursor", ""))
    return render(request, "files/shared.html", context)


@require_safe
@practitioner_required
def view_shared(request: PractitionerRequest, file_id: str) -> HttpResponse:
    """A shared file in a page of its own: its neighbours are nobody else's business."""
    shown = viewing.get_view(request.actor, get_shared(request.actor, file_id), file_id)
    context = {
        "frame": "base.html",
        "home_url": reverse("vault:shared"),
        "shown": shown,
        "open_url": reverse("vault:shared-open", args=[file_id]),
        "download_url": reverse("vault:shared-download", args=[file_id]),
        "save_as": downloads.save_as(shown.file),
    }
    response = render(request, "files/preview.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
@practitioner_required
def open_shared(request: PractitionerRequest, file_id: str) -> HttpResponse:
    space = get_shared(request.actor, file_id)
    return redirect_to_storage(viewing.get_original(request.actor, space, file_id))


@require_safe
@practitioner_required
def download_shared(request: PractitionerRequest, file_id: str) -> HttpResponse:
    space = get_shared(request.actor, file_id)
    return send_download(request, downloads.get_download(request.actor, space, file_id))


def _share(request: PractitionerRequest, file_id: str, form: ShareForm) -> bool:
    try:
        email = form.cleaned_data["email"]
        sharing.share(request.actor, vault_of(request.actor), file_id, email=email)
    except Invalid as error:
        add_errors(form, error)
        return False
    return True

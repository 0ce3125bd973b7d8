"""Who may do what with whose things: the declared matrix actor x object x operation (Z1).

Written by hand, by what should hold; never generated from the code. `test_matrix.py` asks the
running product about every cell, and fails for a route, method or API operation that isn't here.

Actors:  X    nobody
         A    the practitioner whose case, clients and vault these are
         R, W colleagues on A's case: to read; to read and write
         B    a practitioner who has nothing to do with it
         S    a practitioner with whom A shares {photo}, and nothing else
         C1   the client of {case}, and the one who sent {letter}
         C2   the client of another case of A's
         Adm  an administrator, who is a practitioner too
         T    a program with A's access token and no cookie

Where R and W have no column, they are as B.

Objects: {case}     A's case one              {client}   C1 in A's address book
         {letter}   C1's file in {case}       {reply}    A's file in {case}
         {theirs}   W's file in {case}        {sending}  A's upload in parts into {case}
         {draft}    C1's upload in parts      {a}        A's vault, and A as a user
         {photo}    A's file, shared with S   {started}  A's upload in parts into the vault
         {user}     whom nobody here is       {certificate}  of a case that A deleted
         {case+}    and the like: made for each cell that may, since it is over then

Answers: yes  served: 2xx, or a redirect to anywhere but the login
         401  asked to come in: 401 to programs and clients, the redirect to the login to others
         403  refused: known, and in too weak a role
         404  hidden: the same bytes as for random ids
         410  no way in: this browser opened no link that leads anywhere
         400, 422  past every guard, and refused for what was sent
         -    not asked
"""

PRACTITIONERS = """
                                                      X   A   R   W   B   S   C1  C2  Adm
GET    /                                              401 yes yes yes yes yes 401 401 yes
GET    /search/                                       401 yes yes yes yes yes 401 401 yes
POST   /search/                                       401 yes yes yes yes yes 401 401 yes
GET    /settings/                                     401 yes yes yes yes yes 401 401 yes
POST   /settings/                                     401 yes yes yes yes yes 401 401 yes
GET    /welcome/                                      401 yes yes yes yes yes 401 401 yes
POST   /welcome/                                      401 yes yes yes yes yes 401 401 yes
POST   /auth/keepalive/                               401 yes yes yes yes yes 401 401 yes

GET    /clients/                                      401 yes yes yes yes yes 401 401 yes
GET    /clients/new/                                  401 yes yes yes yes yes 401 401 yes
POST   /clients/new/                                  401 yes yes yes yes yes 401 401 yes
GET    /clients/{client}/                             401 yes 404 404 404 404 401 401 404
GET    /clients/{client}/edit/                        401 yes 404 404 404 404 401 401 404
POST   /clients/{client}/edit/                        401 yes 404 404 404 404 401 401 404
GET    /clients/{client}/delete/                      401 yes 404 404 404 404 401 401 404
POST   /clients/{client+}/delete/                     401 yes 404 404 404 404 401 401 404

GET    /cases/                                        401 yes yes yes yes yes 401 401 yes
GET    /cases/new/                                    401 yes yes yes yes yes 401 401 yes
POST   /cases/new/                                    401 yes 422 422 422 422 401 401 422
POST   /cases/new/clients/                            401 yes yes yes yes yes 401 401 yes
GET    /cases/{case}/                                 401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/edit/                            401 yes 403 403 404 404 401 401 404
POST   /cases/{case}/edit/                            401 yes 403 403 404 404 401 401 404
POST   /cases/{case}/edit/clients/                    401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/close/                          401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/reopen/                         401 yes 403 403 404 404 401 401 404
GET    /cases/{case}/delete/                          401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/delete/                         401 yes 403 403 404 404 401 401 404
GET    /cases/{case}/hold/                            401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/hold/                           401 yes 403 403 404 404 401 401 404
GET    /cases/{case}/hold/lift/                       401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/hold/lift/                      401 yes 403 403 404 404 401 401 404
GET    /cases/deleted/                                401 yes yes yes yes yes 401 401 yes
GET    /cases/deleted/{certificate}/certificate/      401 yes 404 404 404 404 401 401 404
GET    /cases/{case}/clients/{client}/invite/         401 yes 403 403 404 404 401 401 404
POST   /cases/{case}/clients/{client}/invite/         401 yes 403 403 404 404 401 401 404
POST   /cases/{case}/clients/{client}/resend/         401 yes 403 403 404 404 401 401 404
GET    /cases/{case}/clients/{client}/revoke/         401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/clients/{client}/revoke/        401 yes 403 403 404 404 401 401 404

GET    /cases/{case}/activity/                        401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/activity/export.csv              401 yes 403 403 404 404 401 401 404
GET    /cases/{case}/activity/export.json             401 yes 403 403 404 404 401 401 404

GET    /cases/{case}/colleagues/                      401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/colleagues/                     401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/colleagues/access/              401 yes 403 403 404 404 401 401 404
POST   /cases/{case+}/colleagues/remove/              401 yes 403 403 404 404 401 401 404

GET    /cases/{case}/files/                           401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/files/add                        401 yes 403 yes 404 404 401 401 404
POST   /cases/{case}/files/add                        401 yes 403 yes 404 404 401 401 404
GET    /cases/{case}/files/zip                        401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/files/zip?file={letter}          401 yes yes yes 404 404 401 401 404
POST   /cases/{case}/files/presign                    401 yes 403 yes 404 404 401 401 404
POST   /cases/{case}/files/same                       401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/files/parts/{sending}            401 yes 404 404 404 404 401 401 404
POST   /cases/{case}/files/parts/{sending}            401 yes 403 404 404 404 401 401 404
GET    /cases/{case}/files/parts/{draft}              401 404 404 404 404 404 401 401 404
POST   /cases/{case}/files/parts/{draft}              401 404 403 404 404 404 401 401 404
POST   /cases/{case}/files/confirm/{reply}            401 yes 404 404 404 404 401 401 404
POST   /cases/{case}/files/confirm/{letter}           401 404 404 404 404 404 401 401 404
POST   /cases/{case}/files/abort/{sending+}           401 yes 404 404 404 404 401 401 404
POST   /cases/{case}/files/abort/{draft}              401 404 404 404 404 404 401 401 404
GET    /cases/{case}/files/{reply}/uploaded           401 yes 404 404 404 404 401 401 404
GET    /cases/{case}/files/{letter}/uploaded          401 404 404 404 404 404 401 401 404
GET    /cases/{case}/files/{letter}/view              401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/files/{letter}/open              401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/files/{letter}/download          401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/files/{letter}/receipt           401 yes yes yes 404 404 401 401 404
GET    /cases/{case}/files/{photo}/download           401 404 404 404 404 404 401 401 404
GET    /cases/{case}/files/{letter}/delete            401 yes 403 403 404 404 401 401 404
POST   /cases/{case}/files/{letter+}/delete           401 yes 403 403 404 404 401 401 404
POST   /cases/{case}/files/{reply+}/delete            401 yes 403 403 404 404 401 401 404
GET    /cases/{case}/files/{theirs}/delete            401 yes 403 yes 404 404 401 401 404
POST   /cases/{case}/files/{theirs+}/delete           401 yes 403 yes 404 404 401 401 404
"""

VAULT = """
                                                      X   A   B   S   C1  C2  Adm
GET    /files/                                        401 yes yes yes 401 401 yes
GET    /files/gallery/                                401 yes yes yes 401 401 yes
GET    /files/shared/                                 401 yes yes yes 401 401 yes
GET    /files/shared/{photo}/view                     401 404 404 yes 401 401 404
GET    /files/shared/{photo}/open                     401 404 404 yes 401 401 404
GET    /files/shared/{photo}/download                 401 404 404 yes 401 401 404
GET    /files/shared/{letter}/download                401 404 404 404 401 401 404
GET    /files/{photo}/sharing                         401 yes 404 404 401 401 404
POST   /files/{photo}/sharing                         401 yes 404 404 401 401 404
POST   /files/{photo+}/unshare                        401 yes 404 404 401 401 404
GET    /files/{letter}/sharing                        401 404 404 404 401 401 404
POST   /files/{letter}/sharing                        401 404 404 404 401 401 404

GET    /files/{a}/                                    401 yes 404 404 401 401 404
GET    /files/{a}/files/                              401 yes 404 404 401 401 404
GET    /files/{a}/files/add                           401 yes 404 404 401 401 404
POST   /files/{a}/files/add                           401 yes 404 404 401 401 404
GET    /files/{a}/files/zip                           401 yes 404 404 401 401 404
GET    /files/{a}/files/zip?file={photo}              401 yes 404 404 401 401 404
POST   /files/{a}/files/presign                       401 yes 404 404 401 401 404
POST   /files/{a}/files/same                          401 yes 404 404 401 401 404
GET    /files/{a}/files/parts/{started}               401 yes 404 404 401 401 404
POST   /files/{a}/files/parts/{started}               401 yes 404 404 401 401 404
POST   /files/{a}/files/confirm/{photo}               401 yes 404 404 401 401 404
POST   /files/{a}/files/abort/{started+}              401 yes 404 404 401 401 404
GET    /files/{a}/files/{photo}/uploaded              401 yes 404 404 401 401 404
GET    /files/{a}/files/{photo}/view                  401 yes 404 404 401 401 404
GET    /files/{a}/files/{photo}/open                  401 yes 404 404 401 401 404
GET    /files/{a}/files/{photo}/download              401 yes 404 404 401 401 404
GET    /files/{a}/files/{photo}/receipt               401 404 404 404 401 401 404
GET    /files/{a}/files/{letter}/download             401 404 404 404 401 401 404
GET    /files/{a}/files/{photo}/delete                401 yes 404 404 401 401 404
POST   /files/{a}/files/{photo+}/delete               401 yes 404 404 401 401 404
"""

CLIENTS = """
                                                      X   A   B   S   C1  C2  Adm
GET    /portal/                                       401 401 401 401 yes yes 401
POST   /portal/keepalive/                             401 401 401 401 yes yes 401
GET    /portal/{case}/                                401 401 401 401 yes 404 401
GET    /portal/{case}/activity/                       401 401 401 401 yes 404 401
GET    /portal/{case}/files/                          401 401 401 401 yes 404 401
GET    /portal/{case}/files/add                       401 401 401 401 yes 404 401
POST   /portal/{case}/files/add                       401 401 401 401 yes 404 401
GET    /portal/{case}/files/zip                       401 401 401 401 yes 404 401
GET    /portal/{case}/files/zip?file={letter}         401 401 401 401 yes 404 401
POST   /portal/{case}/files/presign                   401 401 401 401 yes 404 401
POST   /portal/{case}/files/same                      401 401 401 401 yes 404 401
GET    /portal/{case}/files/parts/{draft}             401 401 401 401 yes 404 401
POST   /portal/{case}/files/parts/{draft}             401 401 401 401 yes 404 401
GET    /portal/{case}/files/parts/{sending}           401 401 401 401 404 404 401
POST   /portal/{case}/files/parts/{sending}           401 401 401 401 404 404 401
POST   /portal/{case}/files/confirm/{letter}          401 401 401 401 yes 404 401
POST   /portal/{case}/files/confirm/{reply}           401 401 401 401 404 404 401
POST   /portal/{case}/files/abort/{draft+}            401 401 401 401 yes 404 401
POST   /portal/{case}/files/abort/{sending}           401 401 401 401 404 404 401
GET    /portal/{case}/files/{letter}/uploaded         401 401 401 401 yes 404 401
GET    /portal/{case}/files/{reply}/uploaded          401 401 401 401 404 404 401
GET    /portal/{case}/files/{reply}/view              401 401 401 401 yes 404 401
GET    /portal/{case}/files/{reply}/open              401 401 401 401 yes 404 401
GET    /portal/{case}/files/{reply}/download          401 401 401 401 yes 404 401
GET    /portal/{case}/files/{letter}/receipt          401 401 401 401 yes 404 401
GET    /portal/{case}/files/{photo}/download          401 401 401 401 404 404 401
GET    /portal/{case}/files/{letter}/delete           401 401 401 401 yes 404 401
POST   /portal/{case}/files/{letter+}/delete          401 401 401 401 yes 404 401
GET    /portal/{case}/files/{reply}/delete            401 401 401 401 403 404 401
POST   /portal/{case}/files/{reply}/delete            401 401 401 401 403 404 401

GET    /invite/                                       410 410 410 410 yes yes 410
POST   /invite/enter/                                 410 410 410 410 yes yes 410
POST   /invite/send-code/                             410 410 410 410 yes yes 410
GET    /invite/code/                                  410 410 410 410 yes yes 410
POST   /invite/code/                                  410 410 410 410 422 422 410
"""

API = """
                                                      X   A   R   W   B   S   C1  Adm T
POST   /api/auth/login                                yes yes yes yes yes yes yes yes 403
POST   /api/files/presign-upload                      401 yes yes yes yes yes 401 yes yes
POST   /api/files/presign-upload#case                 401 yes 403 yes 404 404 401 404 yes
GET    /api/files/uploads/{sending}/parts             401 yes 404 404 404 404 401 404 yes
POST   /api/files/uploads/{sending}/parts             401 yes 403 404 404 404 401 404 yes
GET    /api/files/uploads/{draft}/parts               401 404 404 404 404 404 401 404 404
POST   /api/files/uploads/{draft}/parts               401 404 403 404 404 404 401 404 404
POST   /api/files/metadata#{reply}                    401 yes 404 404 404 404 401 404 yes
POST   /api/files/metadata#{letter}                   401 404 404 404 404 404 401 404 404
POST   /api/files/metadata#{photo}                    401 yes 404 404 404 404 401 404 yes
DELETE /api/files/uploads/{started+}                  401 yes 404 404 404 404 401 404 yes
DELETE /api/files/uploads/{draft}                     401 404 404 404 404 404 401 404 404
GET    /api/files/list                                401 yes yes yes yes yes 401 yes yes
GET    /api/files/list?caseId={case}                  401 yes yes yes 404 404 401 404 yes
GET    /api/files/download?fileId={letter}            401 yes yes yes 404 404 401 404 yes
GET    /api/files/download?fileId={photo}             401 yes 404 404 404 yes 401 404 yes
POST   /api/files/share#{photo}                       401 yes 404 404 404 403 401 404 yes
DELETE /api/files/share#{photo+}                      401 yes 404 404 404 403 401 404 yes
POST   /api/files/share#{letter}                      401 403 403 403 404 404 401 404 403
DELETE /api/files/delete?fileId={letter+}             401 yes 403 403 404 404 401 404 yes
DELETE /api/files/delete?fileId={theirs+}             401 yes 403 yes 404 404 401 404 yes
DELETE /api/files/delete?fileId={photo+}              401 yes 404 404 404 403 401 404 yes
"""

ADMINISTRATION = """
                                                      X   A   B   S   C1  C2  Adm
GET    /admin/                                        401 403 403 403 401 401 yes
GET    /admin/records/users/                          401 403 403 403 401 401 yes
GET    /admin/records/users/{a}/                      401 403 403 403 401 401 yes
POST   /admin/records/users/{user+}/deactivate        401 403 403 403 401 401 yes
POST   /admin/records/users/{user+}/reactivate        401 403 403 403 401 401 yes
GET    /admin/records/cases/                          401 403 403 403 401 401 yes
GET    /admin/records/cases/of/{a}/                   401 403 403 403 401 401 yes
GET    /admin/records/cases/{case}/                   401 403 403 403 401 401 yes
GET    /admin/records/cases/{case}/hold               401 403 403 403 401 401 yes
POST   /admin/records/cases/{case+}/hold              401 403 403 403 401 401 yes
POST   /admin/records/cases/{case+}/lift              401 403 403 403 401 401 yes
POST   /admin/records/cases/{case+}/{client}/revoke   401 403 403 403 401 401 yes
GET    /admin/records/files/                          401 403 403 403 401 401 yes
GET    /admin/records/files/of/case:{case}/           401 403 403 403 401 401 yes
GET    /admin/records/files/{letter}/                 401 403 403 403 401 401 yes
POST   /admin/records/files/{letter}/open             401 403 403 403 401 401 yes
GET    /admin/records/audit/                          401 403 403 403 401 401 yes
GET    /admin/records/mails/                          401 403 403 403 401 401 yes
GET    /admin/records/jobs/                           401 403 403 403 401 401 yes
POST   /admin/records/jobs/revive                     401 403 403 403 401 401 yes
GET    /admin/accounts/                               401 403 403 403 401 401 yes
GET    /admin/accounts/user/                          401 403 403 403 401 401 yes
POST   /admin/accounts/user/                          401 403 403 403 401 401 yes
GET    /admin/accounts/user/{a}/                      401 403 403 403 401 401 yes
GET    /admin/accounts/user/{a}/change/               401 403 403 403 401 401 yes
POST   /admin/accounts/user/{a}/change/               401 403 403 403 401 401 403
GET    /admin/accounts/user/{a}/history/              401 403 403 403 401 401 yes
GET    /admin/accounts/user/{a}/delete/               401 403 403 403 401 401 403
POST   /admin/accounts/user/{a}/delete/               401 403 403 403 401 401 403
GET    /admin/accounts/user/add/                      401 403 403 403 401 401 403
POST   /admin/accounts/user/add/                      401 403 403 403 401 401 403
GET    /admin/autocomplete/                           401 403 403 403 401 401 403
GET    /admin/r/1/1/                                  401 403 403 403 401 401 404
GET    /admin/jsi18n/                                 401 403 403 403 401 401 yes
GET    /admin/password_change/                        401 403 403 403 401 401 yes
POST   /admin/password_change/                        401 403 403 403 401 401 yes
GET    /admin/password_change/done/                   401 403 403 403 401 401 yes
GET    /admin/login/                                  401 403 403 403 401 401 403
GET    /admin/nothing                                 401 403 403 403 401 401 404
"""

ANYBODY = """
                                                      X   A   B   S   C1  C2  Adm
GET    /healthz                                       yes yes yes yes yes yes yes
GET    /readyz                                        yes yes yes yes yes yes yes
GET    /metrics                                       401 401 401 401 401 401 401
GET    /.well-known/filevault-keys.json               yes yes yes yes yes yes yes
GET    /auth/login/                                   yes yes yes yes yes yes yes
GET    /auth/callback/                                400 400 400 400 400 400 400
GET    /auth/break-glass/                             404 404 404 404 404 404 404
POST   /auth/break-glass/                             404 404 404 404 404 404 404
GET    /auth/signed-out/                              yes yes yes yes yes yes yes
GET    /api/                                          404 404 404 404 404 404 404
GET    /api/docs                                      yes yes yes yes yes yes yes
GET    /api/openapi.json                              yes yes yes yes yes yes yes
GET    /portal/left/                                  yes yes yes yes yes yes yes
GET    /invite/fresh/                                 yes yes yes yes yes yes yes
POST   /invite/fresh/                                 yes yes yes yes yes yes yes
GET    /invite/no-token/                              yes yes yes yes yes yes yes
"""

#: These end the sessions of those who ask, and so they come when nobody needs one any more.
LEAVING = """
                                                      X   A   B   S   C1  C2  Adm
POST   /portal/leave/                                 yes yes yes yes yes yes yes
POST   /api/auth/logout                               401 -   yes -   401 -   -
POST   /auth/logout/                                  yes yes -   -   yes yes -
POST   /admin/logout/                                 yes -   -   yes yes yes yes
"""

MATRIX = (PRACTITIONERS, VAULT, CLIENTS, API, ADMINISTRATION, ANYBODY, LEAVING)

#: What is sent to an operation: by its line of the matrix (`#` names one of several bodies), or
#: by the end of its path; else an empty form or object.
BODIES: dict[str, dict[str, object]] = {
    "POST /settings/": {"display_name": "Somebody", "practice": "Practice"},
    "POST /clients/new/": {"name": "Somebody New", "email": "somebody.new@example.test"},
    "POST /clients/{client}/edit/": {"name": "Clara One", "email": "clara@example.test"},
    "POST /cases/new/": {"title": "A case", "clients": ["{client}"], "access": "link"},
    "POST /cases/new/clients/": {"title": "A case", "find": "Clara"},
    "POST /cases/{case}/edit/": {"title": "One", "clients": ["{client}"], "access": "link"},
    "POST /cases/{case}/edit/clients/": {"title": "One", "find": "Clara"},
    "POST /cases/{case+}/hold/": {"reason": "A lawsuit"},
    "POST /admin/records/cases/{case+}/hold": {"reason": "A lawsuit"},
    "POST /cases/{case+}/colleagues/": {"email": "b@matrix.example.test", "access": "read"},
    "POST /cases/{case+}/colleagues/access/": {"email": "s@matrix.example.test", "access": "write"},
    "POST /cases/{case+}/colleagues/remove/": {"email": "s@matrix.example.test"},
    "POST /files/{photo}/sharing": {"email": "s@matrix.example.test"},
    "POST /files/{letter}/sharing": {"email": "s@matrix.example.test"},
    "POST /files/{photo+}/unshare": {"email": "s@matrix.example.test"},
    "POST /invite/code/": {"code": "000000"},
    "POST /admin/records/files/{letter}/open": {"reason": "Asked for by the practice's owner"},
    "POST /api/files/presign-upload": {"fileName": "a.pdf", "mimeType": "", "size": 9},
    "POST /api/files/presign-upload#case": {
        "fileName": "a.pdf",
        "mimeType": "",
        "size": 9,
        "caseId": "{case}",
    },
    "POST /api/files/metadata#{reply}": {"fileId": "{reply}"},
    "POST /api/files/metadata#{letter}": {"fileId": "{letter}"},
    "POST /api/files/metadata#{photo}": {"fileId": "{photo}"},
    "POST /api/files/share#{photo}": {"fileId": "{photo}", "email": "s@matrix.example.test"},
    "DELETE /api/files/share#{photo+}": {"fileId": "{photo+}", "email": "s@matrix.example.test"},
    "POST /api/files/share#{letter}": {"fileId": "{letter}", "email": "s@matrix.example.test"},
}
_PARTS: dict[str, object] = {"partNumbers": [1], "checksums": {"1": "A" * 43 + "="}}
ENDINGS: dict[str, dict[str, object]] = {
    "/files/add": {"fileName": "a.pdf"},
    "/files/presign": {"fileName": "a.pdf", "size": 9},
    "/files/same": {"sha256": "0" * 64},
    "/files/parts/{sending}": _PARTS,
    "/files/parts/{draft}": _PARTS,
    "/files/parts/{started}": _PARTS,
    "/uploads/{sending}/parts": _PARTS,
    "/uploads/{draft}/parts": _PARTS,
}

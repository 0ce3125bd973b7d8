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

Objects: {case}     A's case one              {client}   C1 in A's address book
         {letter}   C1's file in {case}       {reply}    A's file in {case}
         {theirs}   W's file in {case}        {sending}  A's upload in parts into {case}
         {draft}    C1's upload in parts      {a}        A's vault, and A as a user
         {photo}    A's file, shared with S   {started}  A's upload in parts into the vault
         {case+}    and the like: made for each cell that may, since it is over then

Answers: yes    served: 2xx, or a redirect to anywhere but the login
         login  asked to come in: a redirect to the login, 401 for programs and clients
         404    hidden: the same bytes as for random ids
         403    refused: known, and in too weak a role
         dead   410: this browser opened no link that leads anywhere
         400, 409, 422: past every guard, and refused for what was sent
"""

PRACTITIONERS = """
                                                        X     A     B     S     C1    C2    Adm
GET    /                                                login yes   yes   yes   login login yes
GET    /search/                                         login yes   yes   yes   login login yes
POST   /search/                                         login yes   yes   yes   login login yes
GET    /settings/                                       login yes   yes   yes   login login yes
POST   /settings/                                       login yes   yes   yes   login login yes
GET    /welcome/                                        login yes   yes   yes   login login yes
POST   /welcome/                                        login yes   yes   yes   login login yes
POST   /auth/keepalive/                                 login yes   yes   yes   login login yes

GET    /clients/                                        login yes   yes   yes   login login yes
GET    /clients/new/                                    login yes   yes   yes   login login yes
POST   /clients/new/                                    login yes   yes   yes   login login yes
GET    /clients/{client}/                               login yes   404   404   login login 404
GET    /clients/{client}/edit/                          login yes   404   404   login login 404
POST   /clients/{client}/edit/                          login yes   404   404   login login 404
GET    /clients/{client}/delete/                        login yes   404   404   login login 404
POST   /clients/{client+}/delete/                       login yes   404   404   login login 404

GET    /cases/                                          login yes   yes   yes   login login yes
GET    /cases/new/                                      login yes   yes   yes   login login yes
POST   /cases/new/                                      login yes   422   422   login login 422
POST   /cases/new/clients/                              login yes   yes   yes   login login yes
GET    /cases/{case}/                                   login yes   404   404   login login 404
GET    /cases/{case}/edit/                              login yes   404   404   login login 404
POST   /cases/{case}/edit/                              login yes   404   404   login login 404
POST   /cases/{case}/edit/clients/                      login yes   404   404   login login 404
POST   /cases/{case+}/close/                            login yes   404   404   login login 404
POST   /cases/{case+}/reopen/                           login yes   404   404   login login 404
GET    /cases/{case}/delete/                            login yes   404   404   login login 404
POST   /cases/{case+}/delete/                           login yes   404   404   login login 404
GET    /cases/{case}/clients/{client}/invite/           login yes   404   404   login login 404
POST   /cases/{case}/clients/{client}/invite/           login yes   404   404   login login 404
POST   /cases/{case}/clients/{client}/resend/           login yes   404   404   login login 404
GET    /cases/{case}/clients/{client}/revoke/           login yes   404   404   login login 404
POST   /cases/{case+}/clients/{client}/revoke/          login yes   404   404   login login 404

GET    /cases/{case}/files/                             login yes   404   404   login login 404
GET    /cases/{case}/files/add                          login yes   404   404   login login 404
POST   /cases/{case}/files/add                          login yes   404   404   login login 404
GET    /cases/{case}/files/zip                          login yes   404   404   login login 404
GET    /cases/{case}/files/zip?file={letter}            login yes   404   404   login login 404
POST   /cases/{case}/files/presign                      login yes   404   404   login login 404
POST   /cases/{case}/files/same                         login yes   404   404   login login 404
GET    /cases/{case}/files/parts/{sending}              login yes   404   404   login login 404
POST   /cases/{case}/files/parts/{sending}              login yes   404   404   login login 404
GET    /cases/{case}/files/parts/{draft}                login 404   404   404   login login 404
POST   /cases/{case}/files/parts/{draft}                login 404   404   404   login login 404
POST   /cases/{case}/files/confirm/{reply}              login yes   404   404   login login 404
POST   /cases/{case}/files/confirm/{letter}             login 404   404   404   login login 404
POST   /cases/{case}/files/abort/{sending+}             login yes   404   404   login login 404
POST   /cases/{case}/files/abort/{draft}                login 404   404   404   login login 404
GET    /cases/{case}/files/{reply}/uploaded             login yes   404   404   login login 404
GET    /cases/{case}/files/{letter}/uploaded            login 404   404   404   login login 404
GET    /cases/{case}/files/{letter}/view                login yes   404   404   login login 404
GET    /cases/{case}/files/{letter}/open                login yes   404   404   login login 404
GET    /cases/{case}/files/{letter}/download            login yes   404   404   login login 404
GET    /cases/{case}/files/{letter}/receipt             login yes   404   404   login login 404
GET    /cases/{case}/files/{photo}/download             login 404   404   404   login login 404
GET    /cases/{case}/files/{letter}/delete              login yes   404   404   login login 404
POST   /cases/{case}/files/{letter+}/delete             login yes   404   404   login login 404
POST   /cases/{case}/files/{reply+}/delete              login yes   404   404   login login 404
"""

VAULT = """
                                                        X     A     B     S     C1    C2    Adm
GET    /files/                                          login yes   yes   yes   login login yes
GET    /files/gallery/                                  login yes   yes   yes   login login yes
GET    /files/shared/                                   login yes   yes   yes   login login yes
GET    /files/shared/{photo}/view                       login 404   404   yes   login login 404
GET    /files/shared/{photo}/open                       login 404   404   yes   login login 404
GET    /files/shared/{photo}/download                   login 404   404   yes   login login 404
GET    /files/shared/{letter}/download                  login 404   404   404   login login 404
GET    /files/{photo}/sharing                           login yes   404   404   login login 404
POST   /files/{photo}/sharing                           login yes   404   404   login login 404
POST   /files/{photo+}/unshare                          login yes   404   404   login login 404
GET    /files/{letter}/sharing                          login 404   404   404   login login 404
POST   /files/{letter}/sharing                          login 404   404   404   login login 404

GET    /files/{a}/                                      login yes   404   404   login login 404
GET    /files/{a}/files/                                login yes   404   404   login login 404
GET    /files/{a}/files/add                             login yes   404   404   login login 404
POST   /files/{a}/files/add                             login yes   404   404   login login 404
GET    /files/{a}/files/zip                             login yes   404   404   login login 404
GET    /files/{a}/files/zip?file={photo}                login yes   404   404   login login 404
POST   /files/{a}/files/presign                         login yes   404   404   login login 404
POST   /files/{a}/files/same                            login yes   404   404   login login 404
GET    /files/{a}/files/parts/{started}                 login yes   404   404   login login 404
POST   /files/{a}/files/parts/{started}                 login yes   404   404   login login 404
POST   /files/{a}/files/confirm/{photo}                 login yes   404   404   login login 404
POST   /files/{a}/files/abort/{started+}                login yes   404   404   login login 404
GET    /files/{a}/files/{photo}/uploaded                login yes   404   404   login login 404
GET    /files/{a}/files/{photo}/view                    login yes   404   404   login login 404
GET    /files/{a}/files/{photo}/open                    login yes   404   404   login login 404
GET    /files/{a}/files/{photo}/download                login yes   404   404   login login 404
GET    /files/{a}/files/{photo}/receipt                 login 404   404   404   login login 404
GET    /files/{a}/files/{letter}/download               login 404   404   404   login login 404
GET    /files/{a}/files/{photo}/delete                  login yes   404   404   login login 404
POST   /files/{a}/files/{photo+}/delete                 login yes   404   404   login login 404
"""

CLIENTS = """
                                                        X     A     B     S     C1    C2    Adm
GET    /portal/                                         login login login login yes   yes   login
POST   /portal/keepalive/                               login login login login yes   yes   login
GET    /portal/{case}/                                  login login login login yes   404   login
GET    /portal/{case}/files/                            login login login login yes   404   login
GET    /portal/{case}/files/add                         login login login login yes   404   login
POST   /portal/{case}/files/add                         login login login login yes   404   login
GET    /portal/{case}/files/zip                         login login login login yes   404   login
GET    /portal/{case}/files/zip?file={letter}           login login login login yes   404   login
POST   /portal/{case}/files/presign                     login login login login yes   404   login
POST   /portal/{case}/files/same                        login login login login yes   404   login
GET    /portal/{case}/files/parts/{draft}               login login login login yes   404   login
POST   /portal/{case}/files/parts/{draft}               login login login login yes   404   login
GET    /portal/{case}/files/parts/{sending}             login login login login 404   404   login
POST   /portal/{case}/files/parts/{sending}             login login login login 404   404   login
POST   /portal/{case}/files/confirm/{letter}            login login login login yes   404   login
POST   /portal/{case}/files/confirm/{reply}             login login login login 404   404   login
POST   /portal/{case}/files/abort/{draft+}              login login login login yes   404   login
POST   /portal/{case}/files/abort/{sending}             login login login login 404   404   login
GET    /portal/{case}/files/{letter}/uploaded           login login login login yes   404   login
GET    /portal/{case}/files/{reply}/uploaded            login login login login 404   404   login
GET    /portal/{case}/files/{reply}/view                login login login login yes   404   login
GET    /portal/{case}/files/{reply}/open                login login login login yes   404   login
GET    /portal/{case}/files/{reply}/download            login login login login yes   404   login
GET    /portal/{case}/files/{letter}/receipt            login login login login yes   404   login
GET    /portal/{case}/files/{photo}/download            login login login login 404   404   login
GET    /portal/{case}/files/{letter}/delete             login login login login yes   404   login
POST   /portal/{case}/files/{letter+}/delete            login login login login yes   404   login
GET    /portal/{case}/files/{reply}/delete              login login login login 403   404   login
POST   /portal/{case}/files/{reply}/delete              login login login login 403   404   login

GET    /invite/                                         dead  dead  dead  dead  yes   yes   dead
POST   /invite/enter/                                   dead  dead  dead  dead  yes   yes   dead
POST   /invite/send-code/                               dead  dead  dead  dead  yes   yes   dead
GET    /invite/code/                                    dead  dead  dead  dead  yes   yes   dead
POST   /invite/code/                                    dead  dead  dead  dead  422   422   dead
"""

API = """
                                                        X     A     B     S     C1    Adm   T
POST   /api/auth/login                                  yes   yes   yes   yes   yes   yes   403
POST   /api/files/presign-upload                        login yes   yes   yes   login yes   yes
POST   /api/files/presign-upload#case                   login yes   404   404   login 404   yes
GET    /api/files/uploads/{sending}/parts               login yes   404   404   login 404   yes
POST   /api/files/uploads/{sending}/parts               login yes   404   404   login 404   yes
GET    /api/files/uploads/{draft}/parts                 login 404   404   404   login 404   404
POST   /api/files/uploads/{draft}/parts                 login 404   404   404   login 404   404
POST   /api/files/metadata#{reply}                      login yes   404   404   login 404   yes
POST   /api/files/metadata#{letter}                     login 404   404   404   login 404   404
POST   /api/files/metadata#{photo}                      login yes   404   404   login 404   yes
DELETE /api/files/uploads/{started+}                    login yes   404   404   login 404   yes
DELETE /api/files/uploads/{draft}                       login 404   404   404   login 404   404
GET    /api/files/list                                  login yes   yes   yes   login yes   yes
GET    /api/files/list?caseId={case}                    login yes   404   404   login 404   yes
GET    /api/files/download?fileId={letter}              login yes   404   404   login 404   yes
GET    /api/files/download?fileId={photo}               login yes   404   yes   login 404   yes
POST   /api/files/share#{photo}                         login yes   404   403   login 404   yes
DELETE /api/files/share#{photo+}                        login yes   404   403   login 404   yes
POST   /api/files/share#{letter}                        login 403   404   404   login 404   403
DELETE /api/files/delete?fileId={letter+}               login yes   404   404   login 404   yes
DELETE /api/files/delete?fileId={photo+}                login yes   404   403   login 404   yes
"""

ADMINISTRATION = """
                                                        X     A     B     S     C1    C2    Adm
GET    /admin/                                          login 403   403   403   login login yes
GET    /admin/records/users/                            login 403   403   403   login login yes
GET    /admin/records/users/{a}/                        login 403   403   403   login login yes
POST   /admin/records/users/{user+}/deactivate           login 403   403   403   login login yes
POST   /admin/records/users/{user+}/reactivate           login 403   403   403   login login yes
GET    /admin/records/cases/                            login 403   403   403   login login yes
GET    /admin/records/cases/of/{a}/                     login 403   403   403   login login yes
GET    /admin/records/cases/{case}/                     login 403   403   403   login login yes
POST   /admin/records/cases/{case+}/{client}/revoke     login 403   403   403   login login yes
GET    /admin/records/files/                            login 403   403   403   login login yes
GET    /admin/records/files/of/case:{case}/             login 403   403   403   login login yes
GET    /admin/records/audit/                            login 403   403   403   login login yes
GET    /admin/records/mails/                            login 403   403   403   login login yes
GET    /admin/records/jobs/                             login 403   403   403   login login yes
POST   /admin/records/jobs/revive                       login 403   403   403   login login yes
GET    /admin/accounts/                                 login 403   403   403   login login yes
GET    /admin/accounts/user/                            login 403   403   403   login login yes
POST   /admin/accounts/user/                            login 403   403   403   login login yes
GET    /admin/accounts/user/{a}/                        login 403   403   403   login login yes
GET    /admin/accounts/user/{a}/change/                 login 403   403   403   login login yes
POST   /admin/accounts/user/{a}/change/                 login 403   403   403   login login 403
GET    /admin/accounts/user/{a}/history/                login 403   403   403   login login yes
GET    /admin/accounts/user/{a}/delete/                 login 403   403   403   login login 403
POST   /admin/accounts/user/{a}/delete/                 login 403   403   403   login login 403
GET    /admin/accounts/user/add/                        login 403   403   403   login login 403
POST   /admin/accounts/user/add/                        login 403   403   403   login login 403
GET    /admin/autocomplete/                             login 403   403   403   login login 403
GET    /admin/r/1/1/                                    login 403   403   403   login login 404
GET    /admin/jsi18n/                                   login 403   403   403   login login yes
GET    /admin/password_change/                          login 403   403   403   login login yes
POST   /admin/password_change/                          login 403   403   403   login login yes
GET    /admin/password_change/done/                     login 403   403   403   login login yes
GET    /admin/login/                                    login 403   403   403   login login 403
GET    /admin/nothing                                   login 403   403   403   login login 404
"""

#: The last rows end the sessions of those who ask.
ANYBODY = """
                                                        X     A     B     S     C1    C2    Adm
GET    /healthz                                         yes   yes   yes   yes   yes   yes   yes
GET    /readyz                                          yes   yes   yes   yes   yes   yes   yes
GET    /.well-known/filevault-keys.json                   yes   yes   yes   yes   yes   yes   yes
GET    /auth/login/                                     yes   yes   yes   yes   yes   yes   yes
GET    /auth/callback/                                  400   400   400   400   400   400   400
GET    /auth/break-glass/                               404   404   404   404   404   404   404
POST   /auth/break-glass/                               404   404   404   404   404   404   404
GET    /auth/signed-out/                                yes   yes   yes   yes   yes   yes   yes
GET    /api/                                            404   404   404   404   404   404   404
GET    /api/docs                                        yes   yes   yes   yes   yes   yes   yes
GET    /api/openapi.json                                yes   yes   yes   yes   yes   yes   yes
GET    /portal/left/                                    yes   yes   yes   yes   yes   yes   yes
GET    /invite/fresh/                                   yes   yes   yes   yes   yes   yes   yes
POST   /invite/fresh/                                   yes   yes   yes   yes   yes   yes   yes
GET    /invite/no-token/                                yes   yes   yes   yes   yes   yes   yes

POST   /portal/leave/                                   yes   yes   yes   yes   yes   yes   yes
POST   /api/auth/logout                                 login -     yes   -     login -     -
POST   /auth/logout/                                    yes   yes   -     -     yes   yes   -
POST   /admin/logout/                                   yes   -     -     yes   yes   yes   yes
"""

MATRIX = (PRACTITIONERS, VAULT, CLIENTS, API, ADMINISTRATION, ANYBODY)

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
    "POST /files/{photo}/sharing": {"email": "s@matrix.example.test"},
    "POST /files/{letter}/sharing": {"email": "s@matrix.example.test"},
    "POST /files/{photo+}/unshare": {"email": "s@matrix.example.test"},
    "POST /invite/code/": {"code": "000000"},
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

"""Terraform is run, not only read: it makes all that holds data on the local AWS, the product works
on it with the roles' own policies, the doctor is content, nothing has drifted, and all of it goes
away again."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from filevault.local.app_user import MAIL_ACTIONS, MAIL_SETTINGS
from filevault.local.environment import Stack
from filevault.local.ministack import HOST, REGION, REPOSITORY, MiniStack
from filevault.local.processes import manage, wait_until_answering, web_server, worker
from filevault.local.secret_store import Secrets
from filevault.local.seed import admin_session
from filevault.local.user_pool import DEMO_PASSWORD, DEMO_USERS, provision_user
from tests.files.samples import PDF
from tests.infra.terraform import EMULATED, Root, copied, find_terraform
from tests.security.people import A_EMAIL, C1_EMAIL, Person
from tests.stack import TestStack, own_port, prepare_app, running_ministack
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(find_terraform() is None, reason="no terraform was found")

NAME = "infra-test"
#: MiniStack weighs these against "*", where AWS takes the path of the parameters, and the sender's
#: identity of a mail.
WEIGHED_AGAINST_ALL = {
    "both": ["ssm:GetParametersByPath"],
    "worker": [*MAIL_ACTIONS, *MAIL_SETTINGS],
}
PATCH = Path(__file__).with_name("default_configuration_set.py")


@pytest.mark.stack
def test_the_product_works_on_what_terraform_made_and_nothing_drifts(
    emulated: Root, stack: TestStack, processes: dict[str, dict[str, str]]
) -> None:
    with running(stack, processes) as site:
        a, client, case_id = one_case(site, stack)
        home = f"/cases/{case_id}/"
        file_id = upload_and_close_the_tab(client, f"/portal/{case_id}/")
        page = f"{home}files/{file_id}/download"
        wait_until(lambda: a.get(page).status_code == 302, "the bucket tells the worker of a file")
        assert httpx.get(a.get(page).headers["Location"]).content == PDF

        found = doctor(processes["worker"])
        assert "ok   delete: every version goes" in found
        # Left off here, so that all of it can be destroyed.
        failing = [line for line in found if not line.startswith("ok ")]
        assert [line for line in failing if "deletion protection" not in line] == []
        assert_kept_apart(stack, processes)
        assert a.post(f"{home}files/{file_id}/delete").status_code == 302
        wait_until(lambda: not versions(stack), "the worker takes every version away")

    again = emulated.run("plan", "-detailed-exitcode", "-input=false")
    assert again.returncode == 0, f"{again.stdout}\n{again.stderr}"
    take_policies_from_users(stack, emulated)
    emulated.must("destroy", "-auto-approve", "-refresh=false", "-parallelism=30", "-input=false")
    assert admin(stack, "dynamodb").list_tables()["TableNames"] == []
    assert admin(stack, "s3").list_buckets()["Buckets"] == []


@pytest.fixture(scope="module")
def ministack() -> Iterator[tuple[MiniStack, Secrets]]:
    """A local AWS with nothing in it."""
    with running_ministack(PATCH) as made:
        yield made


@pytest.fixture(scope="module")
def site() -> str:
    return f"http://{HOST}:{own_port(1)}"


@pytest.fixture(scope="module")
def emulated(
    ministack: tuple[MiniStack, Secrets], site: str, tmp_path_factory: pytest.TempPathFactory
) -> Root:
    """The foundation, applied."""
    local, _secrets = ministack
    root = copied(
        EMULATED,
        tmp_path_factory.mktemp("terraform"),
        {
            "AWS_ACCESS_KEY_ID": local.keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": local.keys.secret_access_key,
            "TF_VAR_endpoint": local.endpoint,
            "TF_VAR_region": REGION,
            "TF_VAR_site_url": site,
            "TF_VAR_name": NAME,
            "TF_VAR_database_url": f"sqlite:///{local.state.parent / 'django.sqlite3'}",
        },
    )
    root.init()
    root.must("apply", "-auto-approve", "-parallelism=30", "-input=false")
    return root


@pytest.fixture(scope="module")
def stack(ministack: tuple[MiniStack, Secrets], emulated: Root, site: str) -> TestStack:
    """What was made, told as the other tests know it, with the demo users in its pool."""
    local, secrets = ministack
    made = emulated.outputs()
    environment, pool_id = made["environment"], made["user_pool_id"]
    session = admin_session(local)
    cognito = session.client("cognito-idp", endpoint_url=local.endpoint)
    for user in DEMO_USERS:
        provision_user(cognito, pool_id, user)
    ssm = session.client("ssm", endpoint_url=local.endpoint)
    found = ssm.get_parameter(Name=f"/{NAME}/OIDC_CLIENT_SECRET", WithDecryption=True)
    described: Stack = {
        "site": site,
        "mailbox": f"{site}/mailbox/",
        "aws": {
            "endpoint": local.endpoint,
            "region": REGION,
            "accessKeyId": local.keys.access_key_id,
            "secretAccessKey": local.keys.secret_access_key,
        },
        "oidc": {
            "issuer": environment["OIDC_ISSUER"],
            "discoveryUrl": f"{local.endpoint}/{pool_id}/.well-known/openid-configuration",
            "clientId": environment["OIDC_CLIENT_ID"],
            "clientSecret": found["Parameter"]["Value"],
            "userPoolId": pool_id,
        },
        "bucket": environment["FILEVAULT_BUCKET"],
        "users": [
            {"email": user.email, "password": DEMO_PASSWORD, "role": user.role}
            for user in DEMO_USERS
        ],
    }
    return TestStack(local, secrets, local.state.parent, described)


@pytest.fixture(scope="module")
def processes(emulated: Root, stack: TestStack) -> dict[str, dict[str, str]]:
    """The environments of web server and worker: what Terraform says over that of the local stack,
    each with the keys of a user who has that role's policy. Their secrets are in Parameter Store
    alone: those that are the operator's are put there first."""
    made = emulated.outputs()
    prepare_app(stack, tables=False)
    base = stack.environment | made["environment"]
    ssm, prefix = admin(stack, "ssm"), made["parameter_prefix"]
    for name in made["secrets_to_set"]:
        value = base[name.removeprefix(prefix)]
        ssm.put_parameter(Name=name, Value=value, Type="SecureString")
    for stored in ssm.get_parameters_by_path(Path=prefix)["Parameters"]:
        del base[stored["Name"].removeprefix(prefix)]
    return {name: base | keys_of(stack, name, arn) for name, arn in made["policy_arns"].items()}


def admin(stack: TestStack, service: str) -> Any:
    """A client that may do everything, to look behind the scenes."""
    endpoint = stack.ministack.endpoint
    return admin_session(stack.ministack).client(service, endpoint_url=endpoint)  # type: ignore[call-overload]


def keys_of(stack: TestStack, name: str, policy_arn: str) -> dict[str, str]:
    """Keys of a new user with this policy: the emulator has no tasks that could take a role."""
    iam = admin(stack, "iam")
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
    statements = [
        {"Effect": "Allow", "Action": WEIGHED_AGAINST_ALL[each], "Resource": "*"}
        for each in ("both", name)
        if each in WEIGHED_AGAINST_ALL
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="emulator", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def take_policies_from_users(stack: TestStack, emulated: Root) -> None:
    """What `keys_of` did and Terraform knows nothing of would hold its policies."""
    for name, policy_arn in emulated.outputs()["policy_arns"].items():
        admin(stack, "iam").detach_user_policy(UserName=name, PolicyArn=policy_arn)


@contextmanager
def running(stack: TestStack, processes: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Web server and worker, each with its own rights; yields the address."""
    site, log = stack.stack["site"], stack.state / "log"
    port = int(site.rpartition(":")[2])
    children = [web_server(processes["web"], port, log), worker(processes["worker"], log)]
    try:
        for child in children:
            child.start()
        wait_until_answering(children[0], port)
        yield site
    finally:
        for child in children:
            child.stop()


def one_case(site: str, stack: TestStack) -> tuple[Person, Person, str]:
    """A practitioner who opened a case, and its client who came in by link and code."""
    a, client = Person(site, stack).sign_in(A_EMAIL), Person(site, stack)
    client_id = a.add_client("Clara One", C1_EMAIL)
    case_id = a.open_case("Case one", client_id)
    return a, client.enter(a.invite(case_id, client_id, C1_EMAIL), C1_EMAIL), case_id


def upload_and_close_the_tab(client: Person, home: str) -> str:
    """The id of a file whose bytes were sent, and of which the browser says nothing more."""
    signed = client.presign(home)
    assert client.send(signed).status_code == 201
    return str(signed["fileId"])


def versions(stack: TestStack) -> list[Any]:
    """Every version of every file in the bucket."""
    answer = admin(stack, "s3").list_object_versions(Bucket=stack.stack["bucket"])
    return [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]


def doctor(environment: Mapping[str, str]) -> list[str]:
    """What the doctor finds, in the environment of a process and with its rights."""
    done = subprocess.run(
        manage("doctor"),
        env=dict(environment),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout.splitlines()


def assert_kept_apart(stack: TestStack, processes: Mapping[str, Mapping[str, str]]) -> None:
    """The web server can't do what is the worker's, and neither what is Terraform's."""
    bucket, queue = stack.stack["bucket"], processes["web"]["SQS_UPLOADS_URL"]
    version = versions(stack)[0]
    key, version_id = version["Key"], version["VersionId"]
    table = f"{processes['web']['TABLE_PREFIX']}Session"

    def refused(name: str, service: str, call: str, **asked: Any) -> None:
        session = boto3.Session(
            processes[name]["AWS_ACCESS_KEY_ID"],
            processes[name]["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        client: Any = session.client(service, endpoint_url=stack.ministack.endpoint)  # type: ignore[call-overload]
        with pytest.raises(ClientError) as failed:
            getattr(client, call)(**asked)
        assert "Denied" in failed.value.response["Error"]["Code"], failed.value

    refused("web", "s3", "delete_object", Bucket=bucket, Key=key, VersionId=version_id)
    refused("web", "sqs", "receive_message", QueueUrl=queue)
    mail = {"Raw": {"Data": b"From: a@filevault.test\n\nHello"}}
    refused("web", "sesv2", "send_email", Content=mail)
    for name in processes:
        refused(name, "s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration={})
        refused(name, "s3", "put_object", Bucket=bucket, Key="elsewhere", Body=b"")
        refused(name, "dynamodb", "scan", TableName=table)
        refused(name, "dynamodb", "delete_table", TableName=table)

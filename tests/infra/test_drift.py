"""Terraform's files say what the code says: tables, bucket, variables, rights, signals."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest

from filevault.dynamo.definitions import table_definitions
from filevault.local import app_user
from filevault.local.bucket import BUCKET, provision_bucket
from filevault.local.ministack import REGION, REPOSITORY
from filevault.local.queue import EVENTS, MOST_RECEIVES
from tests.infra.hcl import module, parsed
from tests.infra.terraform import INFRA

#: Variables that Terraform leaves to their defaults, or to `settings` of infra/live: what they do
#: differs from office to office, is put into Parameter Store later, or is for other deployments.
LEFT = {
    "ALLOW_SQLITE",
    "ALLOW_UNSCANNED",
    "AUDIT_LOCK_DAYS",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_REGION",
    "BREAK_GLASS",
    "CLOUDFRONT_KEYS",
    "DEBUG",
    "FILEVAULT_LOCAL",
    "INVITATION_CODE",
    "INVITATION_TTL_SECONDS",
    "JOB_LEASE_SECONDS",
    "JOB_SHARDS",
    "LANGUAGE_CODE",
    "LOG_LEVEL",
    "MAX_UPLOAD_SIZE",
    "METRICS_TOKEN",
    "MULTIPART_THRESHOLD",
    "NOTICE_LATEST_SECONDS",
    "NOTICE_QUIET_SECONDS",
    "OIDC_ADMIN_AMR",
    "OIDC_DISCOVERY_URL",
    "OIDC_GROUPS_CLAIM",
    "PART_SIZE",
    "PREVIEW_MAX_SIZE",
    "RETENTION_DAYS",
    "S3_ADDRESSING_STYLE",
    "S3_PUBLIC_ENDPOINT_URL",
    "SCANNER_URL",
    "SECRET_KEY_FALLBACKS",
    "SESSION_ABSOLUTE_SECONDS",
    "SESSION_IDLE_SECONDS",
    "STATIC_ROOT",
    "STORAGE_QUOTA_BYTES",
    "TIME_ZONE",
    "UPLOAD_RESUME_SECONDS",
    "ZIP_CONCURRENCY",
}
#: Of the compute's own machinery, not of the product.
MACHINERY = re.compile(r"AWS_LWA_|WEB_CONCURRENCY|GUNICORN_CMD_ARGS")
#: What only AWS asks for: locally there is no key of one's own, no lock and no DSQL, and the
#: secrets are in variables.
ON_AWS_ALONE = {
    "dsql:DbConnectAdmin",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "s3:PutObjectRetention",
    "ssm:GetParametersByPath",
}


def words(text: Any) -> set[str]:
    """The names of variables in an expression's text."""
    return set(re.findall(r'"([A-Z][A-Z0-9_]+)"', json.dumps(text).replace('\\"', '"')))


def test_tables_are_those_of_the_code() -> None:
    written = json.loads((INFRA / "modules" / "tables" / "tables.json").read_text())
    assert written == table_definitions(), "run: make tables"


def test_tables_are_made_as_they_are_written() -> None:
    table = module("tables")["resource"]["aws_dynamodb_table"]["this"]
    assert table["billing_mode"] == "PAY_PER_REQUEST"
    assert table["point_in_time_recovery"] == [{"enabled": True}]
    assert table["deletion_protection_enabled"] == "${var.deletion_protection}"


class LocalBucket:
    """The bucket of the local stack, as S3 describes it."""

    def __init__(self) -> None:
        session = boto3.Session("a", "b", region_name=REGION)
        endpoint = f"https://s3.{REGION}.amazonaws.com"
        provision_bucket(session, endpoint=endpoint, site="https://site.example")
        self.s3 = session.client("s3")

    def ask(self, call: str) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self.s3, call)(Bucket=BUCKET)
        return answer


@pytest.fixture
def local() -> LocalBucket:
    return LocalBucket()


@pytest.fixture(scope="module")
def storage() -> dict[str, Any]:
    found: dict[str, Any] = module("storage")["resource"]
    return found


def test_the_buckets_cors_is_that_of_the_code(local: LocalBucket, storage: dict[str, Any]) -> None:
    (rule,) = local.ask("get_bucket_cors")["CORSRules"]
    (written,) = storage["aws_s3_bucket_cors_configuration"]["files"]["cors_rule"]
    assert rule["AllowedOrigins"] == ["https://site.example"]
    assert written == {
        "allowed_origins": ["${var.site_url}"],
        "allowed_methods": rule["AllowedMethods"],
        "allowed_headers": rule["AllowedHeaders"],
        "expose_headers": rule["ExposeHeaders"],
        "max_age_seconds": rule["MaxAgeSeconds"],
    }


def test_pages_read_from_cloudfront_what_they_read_from_the_bucket(local: LocalBucket) -> None:
    (rule,) = local.ask("get_bucket_cors")["CORSRules"]
    policy = module("cdn")["resource"]["aws_cloudfront_response_headers_policy"]["files"]
    (written,) = policy["cors_config"]
    items = {name: value[0]["items"] for name, value in written.items() if isinstance(value, list)}
    assert items == {
        "access_control_allow_origins": ["${var.site_url}"],
        "access_control_allow_methods": ["GET", "HEAD"],
        "access_control_allow_headers": ["range"],
        "access_control_expose_headers": rule["ExposeHeaders"],
    }


def test_the_firewall_lets_the_longest_address_of_an_archive_through() -> None:
    """AWS's common rules end at 2 KB of a query, which fifty chosen files have."""
    assert (
        "SizeRestrictions_QUERYSTRING"
        in module("waf")["locals"]["counted"]["AWSManagedRulesCommonRuleSet"]
    )


def test_the_bucket_is_closed_kept_and_encrypted_as_the_codes_is(
    local: LocalBucket, storage: dict[str, Any]
) -> None:
    block = local.ask("get_public_access_block")["PublicAccessBlockConfiguration"]
    written = storage["aws_s3_bucket_public_access_block"]["files"]
    for name, value in block.items():
        assert written[re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()] is value is True

    (owner,) = local.ask("get_bucket_ownership_controls")["OwnershipControls"]["Rules"]
    assert storage["aws_s3_bucket_ownership_controls"]["files"]["rule"] == [
        {"object_ownership": owner["ObjectOwnership"]}
    ]
    assert storage["aws_s3_bucket_versioning"]["files"]["versioning_configuration"] == [
        {"status": local.ask("get_bucket_versioning")["Status"]}
    ]
    (rule,) = local.ask("get_bucket_encryption")["ServerSideEncryptionConfiguration"]["Rules"]
    algorithm = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    encryption = module("storage")["locals"]["encryption"]
    assert encryption == f'${{var.kms_key_arn == null ? "{algorithm}" : "aws:kms"}}'


def test_no_rule_of_the_bucket_expires_a_version(
    local: LocalBucket, storage: dict[str, Any]
) -> None:
    (known,) = local.ask("get_bucket_lifecycle_configuration")["Rules"]
    days = known["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
    rules = storage["aws_s3_bucket_lifecycle_configuration"]["files"]["rule"]
    assert rules[0]["abort_incomplete_multipart_upload"] == [{"days_after_initiation": days}]
    for rule in rules:
        assert not {name for name in rule if "expiration" in name}
        moves = rule.get("transition", []) + rule.get("noncurrent_version_transition", [])
        assert {move["storage_class"] for move in moves} <= {"INTELLIGENT_TIERING"}


def test_the_buckets_events_are_those_that_the_worker_reads(storage: dict[str, Any]) -> None:
    (queue,) = storage["aws_s3_bucket_notification"]["files"]["queue"]
    assert queue["events"] == EVENTS
    assert module("events")["module"]["uploads"]["source"] == "../queue"
    uploads = module("queue")["resource"]["aws_sqs_queue"]["this"]
    assert re.search(rf"maxReceiveCount\W+{MOST_RECEIVES}\b", uploads["redrive_policy"])


def test_every_variable_is_set_or_left_on_purpose_and_no_other() -> None:
    example = (REPOSITORY / ".env.example").read_text()
    known = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    foundation = module("foundation", "environment.tf")["locals"]
    compute = module("compute-lambda")["locals"]["lambda_environment"]
    fargate = module("compute-fargate")["locals"]["environment"]
    given = set(foundation["environment"]) | words(foundation["secrets"]) | set(compute)
    given |= set(re.findall(r"([A-Z][A-Z0-9_]+) =", str(fargate)))
    given = {name for name in given if not MACHINERY.match(name)}
    assert given - known == set(), "the product reads no such variable"
    assert LEFT - known == set(), "gone, and still left on purpose"
    assert given & LEFT == set()
    assert known - given - LEFT == set(), "neither set by Terraform nor left on purpose"


def test_secrets_are_in_parameter_store_alone() -> None:
    foundation = module("foundation", "environment.tf")["locals"]
    secrets = words(foundation["secrets"])
    assert {"SECRET_KEY", "INVITATION_SIGNING_KEYS", "SIGNING_KEYS", "DATABASE_URL"} <= secrets
    assert secrets & set(foundation["environment"]) == set()


def test_the_operators_secrets_stand_in_no_state() -> None:
    """The provider reads the value of each parameter that it made, whoever set it."""
    parameters = [
        name
        for file in INFRA.rglob("*.tf")
        for name in re.findall(r'resource "aws_ssm_parameter" "(\w+)"', file.read_text())
    ]
    assert parameters == ["known"]
    known = module("foundation", "environment.tf")["locals"]["known_secrets"]
    assert set(known) == {"DATABASE_URL", "OIDC_CLIENT_SECRET"}


def test_the_roles_may_what_the_local_user_may_and_no_more() -> None:
    documents = module("access")["data"]["aws_iam_policy_document"]
    text = json.dumps([documents[name] for name in ("both", "worker", "doctor")])
    text += json.dumps(module("access")["locals"])
    given = set(re.findall(r'"((?:dsql|dynamodb|kms|s3|ses|sns|sqs|ssm):[A-Za-z]+)', text))
    statements: Any = app_user.policy(bucket="b", table_prefix="t-", topic="arn:t")["Statement"]
    wanted = {action for statement in statements for action in statement["Action"]}
    assert given - ON_AWS_ALONE == wanted
    assert given >= ON_AWS_ALONE
    for name in app_user.SCANNED_TABLES:
        assert name in module("access")["locals"]["scanned"]


def test_the_web_servers_role_takes_nothing_away_and_sends_nothing() -> None:
    documents = module("access")["data"]["aws_iam_policy_document"]
    text = json.dumps(documents["both"])
    assert not re.search(r"s3:Delete|dynamodb:Scan|ses:|sns:|sqs:", text)


def test_the_records_that_raise_alarms_are_those_that_the_code_writes() -> None:
    found = module("alarms")
    patterns = re.findall(
        r"message = .{0,3}\"([a-z ]+)", json.dumps(found["resource"]).replace("\\", "")
    )
    texts = {*found["locals"]["messages"].values(), "oldest job"}
    assert "oldest job" in patterns
    apps = ("filevault", "accounts", "files", "cases")
    sources = [path.read_text() for app in apps for path in (REPOSITORY / app).rglob("*.py")]
    for text in texts:
        assert any(f'"{text}"' in source for source in sources), f"nobody says {text!r}"


MODULES = sorted(path for path in (INFRA / "modules").iterdir() if path.is_dir())


@pytest.mark.parametrize("directory", MODULES, ids=lambda path: path.name)
def test_a_module_explains_itself(directory: Path) -> None:
    assert (directory / "README.md").read_text().startswith("# ")
    for file in ("variables.tf", "outputs.tf"):
        described = parsed(directory / file)
        for kind in ("variable", "output"):
            for name, content in described[kind].items():
                assert len(content.get("description", "")) > 5, name
    for source in directory.glob("*.tf"):
        for line in source.read_text().splitlines():
            if "checkov:skip" in line:
                assert re.search(r"#checkov:skip=CKV2?_AWS_\d+:\S.{10,}", line), line

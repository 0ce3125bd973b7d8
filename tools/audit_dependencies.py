"""Hold what production installs against the published advisories (PyPI's, by pip-audit).

    python -m tools.audit_dependencies

Ends with 1 where an advisory is known for a pinned release. Where the service can't be asked (no
network, a mirror without it), it says so and ends with 0: that is no mistake of the code.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.txt"
OPTIONS = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
SECONDS = 120


def main() -> int:
    """Ask, and say what was found."""
    try:
        asked = subprocess.run(
            [sys.executable, "-m", "pip_audit", *OPTIONS, "--requirement", LOCK],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        found: list[dict[str, Any]] = json.loads(asked.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return _not_asked(f"no answer in {SECONDS} s")
    except (ValueError, KeyError):
        return _not_asked((asked.stderr.strip().splitlines() or ["no answer"])[-1])
    known = [each for each in found if "skip_reason" not in each]
    if not known:
        return _not_asked(str(found[0]["skip_reason"]) if found else "nothing in it")
    return _tell(known, skipped=len(found) - len(known))


def _tell(known: list[dict[str, Any]], *, skipped: int) -> int:
    advisories = [(each, one) for each in known for one in each["vulns"]]
    for each, one in advisories:
        mended = ", ".join(one["fix_versions"]) or "no release yet"
        print(f"{each['name']} {each['version']}: {one['id']}, mended in {mended}")
    unknown = f", {skipped} unknown to the service" if skipped else ""
    print(f"{LOCK}: {len(known)} packages asked about{unknown}, {len(advisories)} advisories")
    return 1 if advisories else 0


def _not_asked(reason: str) -> int:
    print(f"{LOCK}: NOT held against advisories, since the service can't be asked: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

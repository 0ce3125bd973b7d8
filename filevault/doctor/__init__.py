"""`manage.py doctor`: proves a deployment step by step, and says how to mend what fails.

Each app examines what it knows, in its own module `doctor`; here stands what belongs to none:
the running processes, the stores, queues and mail.
"""

from filevault.doctor.examination import (
    TIMEOUT,
    Fault,
    Finding,
    Step,
    examine,
    part,
    part_names,
)

__all__ = ["TIMEOUT", "Fault", "Finding", "Step", "examine", "part", "part_names"]

from filevault.doctor import running, stores, outside  # noqa: F401, I001  register their parts

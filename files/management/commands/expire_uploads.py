from files.uploads import EXPIRE_JOB
from filevault.management.job_command import JobCommand


class Command(JobCommand):
    help = "End the uploads whose time has run out, once. The worker does this by itself."
    kinds = (EXPIRE_JOB,)

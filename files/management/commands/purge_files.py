from files.checking import PURGE_JOB
from filevault.management.job_command import JobCommand


class Command(JobCommand):
    help = "Delete the bytes of deleted and rejected files, once. The worker does this by itself."
    kinds = (PURGE_JOB,)

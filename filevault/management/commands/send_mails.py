from filevault.mail import SEND_JOB
from filevault.management.job_command import JobCommand


class Command(JobCommand):
    help = "Send the queued mails that are due, once. The worker does this by itself."
    kinds = (SEND_JOB,)

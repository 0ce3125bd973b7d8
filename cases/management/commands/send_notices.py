from cases.notices import CLOSE_JOB
from filevault.mail import SEND_JOB
from filevault.management.job_command import JobCommand


class Command(JobCommand):
    help = "Close the upload windows that are due and send their mails, once. The worker does too."
    kinds = (CLOSE_JOB, SEND_JOB)

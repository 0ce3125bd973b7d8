# One image for the web server (default) and the worker (`python manage.py run_worker`).
# tests/local/test_image_stack.py takes these very steps, since not every machine has an engine.

# Tag and digest: the tag says what the digest is. Both change together (docs/operations.md).
ARG PYTHON=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Without pip in it: what is installed here is all that there will be.
RUN python -m venv --without-pip /opt/filevault
WORKDIR /srv/filevault
COPY requirements.txt .
RUN pip --python /opt/filevault/bin/python install --only-binary :all: --require-hashes \
    --requirement requirements.txt
ENV PATH=/opt/filevault/bin:$PATH
COPY manage.py gunicorn.conf.py ./
COPY filevault filevault
COPY accounts accounts
COPY files files
COPY cases cases
COPY templates templates
COPY static static
COPY locale locale
# Collecting needs settings that can be read, and none of their values.
RUN SECRET_KEY=00000000000000000000000000000000000000000000000000 \
    SITE_URL=https://build.invalid AWS_DEFAULT_REGION=us-east-1 \
    DATABASE_URL=sqlite://:memory: ALLOW_SQLITE=1 FILEVAULT_BUCKET=build \
    OIDC_ISSUER=https://build.invalid OIDC_CLIENT_ID=build DEFAULT_FROM_EMAIL=build@build.invalid \
    INVITATION_SIGNING_KEYS=build:00000000000000000000000000000000 \
    SIGNING_KEYS=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
    STATIC_ROOT=/srv/filevault/staticfiles \
    python manage.py collectstatic --noinput \
    && python -m compileall -q /srv/filevault

FROM ${PYTHON}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin filevault \
    && pip uninstall --yes pip
COPY --from=build /opt/filevault /opt/filevault
COPY --from=build /srv/filevault /srv/filevault
# For AWS Lambda, which starts it beside the server; elsewhere nobody does.
COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1 /lambda-adapter /opt/extensions/lambda-adapter
ENV PATH=/opt/filevault/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WEB_CONCURRENCY=2 \
    DJANGO_SETTINGS_MODULE=filevault.settings \
    STATIC_ROOT=/srv/filevault/staticfiles
WORKDIR /srv/filevault
# Declared, because Fargate would give an empty volume to root alone. Nothing else is written to.
VOLUME ["/tmp"]
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# For the web server; run the worker with `--no-healthcheck`.
HEALTHCHECK --interval=15s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["gunicorn"]

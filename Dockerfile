# The product without the embedded servers and the test tools. One image for web, worker and beat; docs/deploy.md.
FROM python:3.12-slim-bookworm AS packages
WORKDIR /build
COPY requirements-prod.lock .
RUN python -m venv /opt/tieout/.venv \
    && /opt/tieout/.venv/bin/pip install --no-cache-dir --require-hashes -r requirements-prod.lock

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home tieout
WORKDIR /opt/tieout
COPY --from=packages /opt/tieout/.venv .venv
COPY manage.py ./
COPY audit audit
COPY tenants tenants
COPY erp erp
COPY storefront storefront
COPY mappings mappings
COPY sync sync
COPY config config
COPY templates templates
COPY docs/runbooks docs/runbooks
# Compiled here, because nothing is written where it runs.
RUN .venv/bin/python -m compileall -q audit tenants erp storefront mappings sync config
ENV PATH=/opt/tieout/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["gunicorn", "-c", "python:config.gunicorn", "config.wsgi"]

# syntax=docker/dockerfile:1
# Homefeed with what production needs: PostgreSQL, learned rankers, Redis. EXTRAS names other extras of pyproject.toml.

# The tests run on this version.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
ARG EXTRAS=postgres,ranking,redis
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN --mount=type=cache,target=/root/.cache/pip \
    pip wheel --no-deps --wheel-dir dist . \
    && python -m venv /opt/homefeed \
    && set -- dist/homefeed-*.whl \
    && /opt/homefeed/bin/pip install -c constraints.txt "$1[${EXTRAS}]" \
    && /opt/homefeed/bin/pip uninstall --yes pip setuptools

FROM python:${PYTHON}-slim-bookworm
LABEL org.opencontainers.image.title="Homefeed" \
      org.opencontainers.image.description="A self-hosted recommendation service" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --no-log-init --create-home --home-dir /srv/homefeed \
        --shell /usr/sbin/nologin homefeed \
    && install --directory --owner=homefeed --group=homefeed /srv/homefeed/data /var/cache/homefeed
COPY --from=build /opt/homefeed /opt/homefeed
ENV PATH=/opt/homefeed/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/var/cache/homefeed \
    HOMEFEED_HOME=/srv/homefeed/data \
    HOMEFEED_HOST=0.0.0.0 \
    HOMEFEED_LOG_FORMAT=json
USER 10001:10001
WORKDIR /srv/homefeed
# Compiled here, so that a container is ready in seconds; a processor of another kind compiles anew at its first start.
RUN ["homefeed", "compile"]
VOLUME /srv/homefeed/data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ.get('HOMEFEED_PORT', 8000)}/healthz\", timeout=2)"]
ENTRYPOINT ["homefeed"]
CMD ["serve"]

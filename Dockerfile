# Newsbeat in a container: what the lock file says, and the program. Runs as a user without rights.
FROM python:3.12-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/newsbeat
COPY requirements.lock requirements-editors.lock ./
RUN /opt/newsbeat/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
# With accounts for editors: docker compose build --build-arg EDITORS=yes
ARG EDITORS=no
RUN if [ "$EDITORS" = yes ]; then \
    /opt/newsbeat/bin/pip install --no-cache-dir --require-hashes -r requirements-editors.lock; fi
COPY pyproject.toml README.md LICENSE ./
COPY pipeline pipeline
RUN /opt/newsbeat/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 newsbeat \
    && useradd --uid 10001 --gid newsbeat --home-dir /app --no-create-home --shell /usr/sbin/nologin newsbeat \
    && mkdir -p /app/db \
    && chown newsbeat:newsbeat /app/db
COPY --from=build /opt/newsbeat /opt/newsbeat
WORKDIR /app
COPY config config
COPY seeds seeds
ENV PATH=/opt/newsbeat/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NEWSBEAT_CONFIG=/app/config \
    NEWSBEAT_DB=/app/db/news.db
USER 10001
VOLUME /app/db
ENTRYPOINT ["newsbeat"]
CMD ["run"]

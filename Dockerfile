# One image for both roles: `docker run pgsluice replicator ...`, `docker run pgsluice worker postgres ...`. It writes
# nothing of its own, so `docker run --read-only` works.
FROM debian:bookworm-slim AS build
COPY examples/packages examples/install-packages /src/examples/
RUN /src/examples/install-packages build
COPY . /src
WORKDIR /src
RUN cmake --preset release -DPGSLUICE_TESTS=OFF \
    && cmake --build --preset release --target pgsluice \
    && cmake --install build/release --prefix /out --strip --component program

FROM debian:bookworm-slim
# What else to install: --build-arg PACKAGES=postgresql-client for --target-schema-from pg_dump (of sources up to 15).
ARG PACKAGES=
# ca-certificates for TLS; and the libraries the program is linked with, which a test compares with what ldd says.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $PACKAGES \
        ca-certificates \
        libargon2-1 \
        libcpp-httplib0.11 \
        libcrypt1 \
        libcurl4 \
        libfmt9 \
        libnats3.4 \
        libpq5 \
        libprometheus-cpp-core1.0 \
        libpg-query1504.0 \
        libre2-9 \
        libsimdjson14 \
        libssl3 \
        libyaml-cpp0.7 \
        libzstd1 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin pgsluice
COPY --from=build /out/bin/pgsluice /usr/local/bin/pgsluice
USER 10001
WORKDIR /home/pgsluice
STOPSIGNAL SIGTERM
# Where the process serves its health, and where `pgsluice health` asks. Give it another address here, not by the flag.
ENV PGSLUICE_HTTP_LISTEN=127.0.0.1:9187
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["pgsluice", "health"]
ENTRYPOINT ["pgsluice"]
CMD ["--help"]

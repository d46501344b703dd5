# One image for both roles: `docker run pgsluice replicator ...`, `docker run pgsluice worker postgres ...`.
FROM debian:bookworm-slim AS build
COPY examples/packages examples/install-packages /src/examples/
RUN /src/examples/install-packages build
COPY . /src
WORKDIR /src
RUN cmake --preset release -DPGSLUICE_TESTS=OFF \
    && cmake --build --preset release --target pgsluice \
    && cmake --install build/release --prefix /out --strip

FROM debian:bookworm-slim
# ca-certificates for TLS; pg_dump for --target-schema-from pg_dump (15: of sources up to that); and
# the libraries the program is linked with, which a test compares with what ldd says.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates \
        libcpp-httplib0.11 \
        libcurl4 \
        libfmt9 \
        libnats3.4 \
        libpq5 \
        libprometheus-cpp-core1.0 \
        libre2-9 \
        libsimdjson14 \
        libssl3 \
        libyaml-cpp0.7 \
        libzstd1 \
        postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin pgsluice
COPY --from=build /out/bin/pgsluice /usr/local/bin/pgsluice
USER 10001
WORKDIR /home/pgsluice
STOPSIGNAL SIGTERM
ENTRYPOINT ["pgsluice"]
CMD ["--help"]

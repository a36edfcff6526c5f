# syntax=docker/dockerfile:1
#
# Build:  docker build -t customer-integration .
# Run:    docker run --rm --read-only -p 127.0.0.1:8080:8080 customer-integration serve --demo
#
# Reproducible release image: base images by digest, timestamps from the commit:
#   docker build --build-arg RUST_IMAGE=rust:1.95.0-slim-bookworm@sha256:… \
#     --build-arg RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot@sha256:… \
#     --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" --build-arg REVISION="$(git rev-parse HEAD)" \
#     --output type=docker,rewrite-timestamp=true -t customer-integration .
# (`docker buildx imagetools inspect IMAGE` prints a digest.)

ARG RUST_IMAGE=rust:1.95.0-slim-bookworm
# Debian 12 like the builder, for the same glibc. It has libgcc, root certificates and a non-root
# user, but no shell and no package manager. Its tags have no versions, so releases use the digest.
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS builder
# used by C compilers for __DATE__
ARG SOURCE_DATE_EPOCH
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY benches benches
COPY crates crates
COPY tests/fuzz tests/fuzz
COPY migrations migrations
COPY src src
# reported by the log and by the metric build_info
ARG REVISION=unknown
# The cached target directory may be of another commit. `touch`, because cargo compares timestamps
# and would skip the build of an older commit.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    touch src/lib.rs src/main.rs crates/ticket-policy/src/lib.rs \
    && cargo build --profile dist --locked --bin customer-integration \
    && install -D -m 0755 target/dist/customer-integration /out/customer-integration \
    && install -d -m 0700 /out/data

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="customer-integration" \
      org.opencontainers.image.description="What a business partner's accesses may see and do in the ticket portal" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=builder /out/customer-integration /usr/local/bin/customer-integration
# SQLite database and demo key. Nothing else is written, so the root file system can be read-only.
COPY --from=builder --chown=65532:65532 /out/data /data
VOLUME ["/data"]
# numeric, so that platforms can verify that it is not root
USER 65532:65532
WORKDIR /
ENV BIND_ADDRESS=0.0.0.0:8080
# 9090: metrics, if METRICS_BIND_ADDRESS=0.0.0.0:9090
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/customer-integration", "health"]
ENTRYPOINT ["/usr/local/bin/customer-integration"]
CMD ["serve"]

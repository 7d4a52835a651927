# The labeler in a container; docs/how-to/run-in-a-container.md says how to run it. The last stage runs nothing, so that an
# image for another processor is built without emulating it: docker build --platform linux/arm64 .
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
ARG BASE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
ARG TARGETARCH=amd64
RUN case "$TARGETARCH" in amd64) arch=x64 ;; *) arch=$TARGETARCH ;; esac \
 && npm run package -- --platform "linux-$arch" /out/edge-labeler \
 && mkdir -p /out/data/state /out/data/models \
 && node -p "tls.rootCertificates.join('\n')" > /out/ca-certificates.pem

FROM --platform=$TARGETPLATFORM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="Edge Labeler" \
      org.opencontainers.image.description="An image classifier that LF Edge eKuiper rules call over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/edge-labeler /opt/edge-labeler
# The base has no certificate authorities, which results need that are pushed to an https address.
COPY --from=build /out/ca-certificates.pem /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=1000:1000 /out/data /var/lib/edge-labeler
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PATH=/opt/edge-labeler:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LABELER_STATE=/var/lib/edge-labeler/state \
    LABELER_MODELS=/var/lib/edge-labeler/models
USER 1000:1000
VOLUME ["/var/lib/edge-labeler/state", "/var/lib/edge-labeler/models"]
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/edge-labeler/bin/edge-labeler.mjs"]
CMD ["serve", "--ip", "0.0.0.0"]

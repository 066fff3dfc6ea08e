# Two images: `processor` (the default), and `demo`, which adds what makes certificates and stands in for an identity
# provider and for Claude. OPA is copied from its own image; Envoy runs beside them (docker-compose.yml).
FROM openpolicyagent/opa:1.22.2-static AS opa

FROM node:24-slim AS base
WORKDIR /opt/skilltape
COPY --from=opa /opa /usr/local/bin/opa
COPY package.json package-lock.json ./

FROM base AS demo
RUN npm ci && npm cache clean --force
COPY extproc extproc
COPY envoy envoy
COPY deploy deploy
COPY test/fakes test/fakes
# A new volume takes owner and mode from here. All services run as the same user, each with folders of its own.
RUN cd / && for part in elasticsearch kibana envoy skilltape console install fakes people; do mkdir -p "/setup/$part"; done \
  && chown -R node:node /setup && chmod 700 /setup/*
USER node
ENTRYPOINT ["node"]

FROM base AS processor
RUN npm ci --omit=dev && npm cache clean --force
COPY extproc extproc
COPY envoy envoy
COPY policies policies
COPY proto proto
# As above: Envoy runs as the same user and writes its access log.
RUN mkdir -p /var/lib/skilltape /run/skilltape /var/log/skilltape \
  && chown -R node:node /var/lib/skilltape /run/skilltape /var/log/skilltape
# As extproc/tools/runtime.json has it.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
ENV NODE_COMPILE_CACHE=/opt/skilltape/node_modules/.skilltape-compiled
# By the user who runs it, because Node keeps apart what users compile; then nobody may write there, as to the code.
RUN mkdir "$NODE_COMPILE_CACHE" && chown node:node "$NODE_COMPILE_CACHE"
USER node
RUN ["node", "--max-semi-space-size=8", "--heap-growing-percent=30", "--expose-gc", "--no-wasm-dynamic-tiering", "/opt/skilltape/extproc/tools/compile.mjs"]
USER root
RUN chown -R root:root "$NODE_COMPILE_CACHE"
USER node
VOLUME ["/var/lib/skilltape", "/run/skilltape", "/var/log/skilltape"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=30", "--expose-gc", "--no-wasm-dynamic-tiering", "/opt/skilltape/extproc/main.ts"]
CMD ["serve", "--config", "/etc/skilltape/skilltape.yaml"]

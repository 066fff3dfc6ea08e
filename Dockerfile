# The processor. OPA is copied from its own image; Envoy runs beside it (docker-compose.yml).
FROM openpolicyagent/opa:1.22.2-static AS opa

FROM node:24-slim
WORKDIR /opt/skilltape
COPY --from=opa /opa /usr/local/bin/opa
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY extproc extproc
COPY policies policies
COPY proto proto
# A new volume takes owner and mode from here: Envoy runs as the same user and writes its access log.
RUN mkdir -p /var/lib/skilltape /run/skilltape /var/log/skilltape \
  && chown -R node:node /var/lib/skilltape /run/skilltape /var/log/skilltape
USER node
VOLUME ["/var/lib/skilltape", "/run/skilltape", "/var/log/skilltape"]
ENTRYPOINT ["node", "/opt/skilltape/extproc/main.ts"]
CMD ["serve", "--config", "/etc/skilltape/skilltape.yaml"]

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
RUN mkdir -p /var/lib/skilltape /run/skilltape && chown -R node:node /var/lib/skilltape /run/skilltape
USER node
VOLUME ["/var/lib/skilltape", "/run/skilltape"]
ENTRYPOINT ["node", "/opt/skilltape/extproc/main.ts"]
CMD ["serve", "--config", "/etc/skilltape/skilltape.yaml"]

# Contains only the program. There is no build step, because Node runs TypeScript. The image has its own Node, so the optional
# packages that bring one along are left out. With DATABASE_URL set, the program stores nothing on disk outside the trial.

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional && npm cache clean --force
COPY . .
RUN mkdir /data && chown node:node /data
ENV DATA_DIR=/data PORT=3000
VOLUME /data
USER node
EXPOSE 3000
# A process of role worker answers here only if METRICS_PORT equals PORT, as in compose.yaml.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Arguments: --role web, --role worker, or none for both.
ENTRYPOINT ["node", "src/main.ts"]

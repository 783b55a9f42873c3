# The program and nothing else: no build step, as Node runs TypeScript. The image brings Node, so the optional packages, which
# bring one too, stay out. Outside of the trial it keeps nothing on disk when DATABASE_URL is set.

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
# A process of role worker answers here when METRICS_PORT equals PORT, as compose.yaml has it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# --role web, --role worker, or nothing for both.
ENTRYPOINT ["node", "src/main.ts"]

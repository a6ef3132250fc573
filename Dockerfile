# The server, its workers and all commands: docker build -t outhaul .
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN python -m venv /opt/outhaul \
 && /opt/outhaul/bin/pip install --no-cache-dir -c constraints.txt '.[postgres,spark,telemetry]'

FROM python:3.13-slim
COPY --from=build /opt/outhaul /opt/outhaul
RUN useradd --uid 10001 --user-group --no-create-home outhaul \
 && install -d -m 700 -o outhaul -g outhaul /data
ENV PATH=/opt/outhaul/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OUTHAUL_DATA=/data \
    OUTHAUL_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["outhaul"]
CMD ["serve", "--host", "0.0.0.0"]

# Plumbline's web and worker. Has not been built where it was written (docs/production.md).
#   docker build .                                            what reviewing needs, without torch
#   docker build --build-arg REQUIREMENTS=requirements-locked.txt --build-arg TORCH='torch>=2.6' .     everything
FROM node:22-slim AS front-end
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY scripts/front-end scripts/front-end
RUN scripts/front-end unused

FROM python:3.11-slim
ARG REQUIREMENTS=requirements-web.txt
ARG TORCH=
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 DATA_DIR=/data
WORKDIR /app
COPY requirements*.txt ./
RUN if [ -n "$TORCH" ]; then pip install --constraint requirements.txt "$TORCH"; fi \
    && pip install --no-deps --require-hashes -r "$REQUIREMENTS"
COPY . .
COPY --from=front-end /src/static/vendor static/vendor
# The key is for this step alone: collecting files signs nothing.
RUN SECRET_KEY=only-for-collecting-static-files-at-build-time python manage.py collectstatic --no-input \
    && useradd --system --uid 1000 plumbline \
    && mkdir /data && chown plumbline /data
USER plumbline
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "-c", "python:annotator.management.web", "--bind", "0.0.0.0:8000", "config.wsgi"]

# Longhand in a container: not root, nothing to write, ready when /readyz says so.
#
#   docker build -t longhand .
#   docker run --read-only -p 8080:8080 longhand --backend http://model-host:8000/v1 --model ID
#
# Texts that outlive it: -v longhand-texts:/var/lib/longhand and --state-dir /var/lib/longhand.
#
# BASE is any Debian 12: both stages use it.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	gcc libc6-dev make pkg-config python3 libmicrohttpd-dev libjansson-dev \
	libcurl4-openssl-dev libhiredis-dev libuv1-dev libyaml-dev libutf8proc-dev nettle-dev \
	&& rm -rf /var/lib/apt/lists/*
COPY . /src
RUN make -C /src -j"$(nproc)" all && strip /src/build/longhandd /src/build/longhand

FROM ${BASE}
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	ca-certificates libmicrohttpd12 libjansson4 libcurl4 libhiredis0.14 libuv1 libyaml-0-2 \
	libutf8proc2 libnettle8 \
	&& apt-get clean && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/longhandd /src/build/longhand /usr/local/bin/
COPY config/longhand.yaml /etc/longhand/longhand.yaml
# A volume that is empty takes over whose it is.
RUN install -d -o 65532 -g 65532 -m 0700 /var/lib/longhand
USER 65532:65532
ENV LONGHAND_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
	CMD ["longhand", "ready", "--server", "http://127.0.0.1:8080/v1"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["longhandd"]

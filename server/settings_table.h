/* settings_table - every setting, once. Flags, environment, file, --help, --print-config,
 * config/longhand.yaml, docs/settings.md and struct settings all come from these rows.
 *
 *   X(name, type, default, min, max, choices, reloadable, help)
 *
 * A row `connect_ms` is the flag --connect-ms, the variable LONGHAND_CONNECT_MS and the key
 * connect_ms of the file. Types: see enum setting_type. Every time is in ms (MS), every size in
 * bytes (BYTES, with KiB, MiB or GiB if liked); min and max count for numbers only. In help texts
 * and defaults no double quotes and no colon followed by a space: they go into YAML and tables.
 * G(title) begins a group. */
#ifndef LONGHAND_SETTINGS_TABLE_H
#define LONGHAND_SETTINGS_TABLE_H

/* A week: longer is a mistake in the unit. */
#define SETTING_MS_MAX 604800000

#define SETTINGS(G, X)                                                                             \
	G("Serving")                                                                               \
	X(listen, ADDRESS, "127.0.0.1:8080", 0, 0, NULL, false,                                    \
	  "where to listen (host:port, [v6]:port or unix:/path, several with commas between); "    \
	  "port 0 takes a free one")                                                               \
	X(reuse_port, BOOL, "false", 0, 0, NULL, false,                                            \
	  "let several processes listen on the same port")                                         \
	X(max_connections, INT, "10000", 1, 1000000, NULL, false,                                  \
	  "client connections at once; one more is answered 429")                                  \
	X(max_header_bytes, BYTES, "32KiB", 4096, 1048576, NULL, false,                            \
	  "memory of one connection for its request's headers; larger headers are answered 431")   \
	X(max_request_bytes, BYTES, "16MiB", 1024, 1073741824, NULL, false,                        \
	  "size of a request's body; a larger one is answered 413")                                \
	X(request_read_ms, MS, "60000", 10, SETTING_MS_MAX, NULL, false,                           \
	  "time a client has to send a whole request")                                             \
	X(keepalive_ms, MS, "75000", 10, SETTING_MS_MAX, NULL, false,                              \
	  "time a connection may stay open between two requests")                                  \
	X(stuck_ms, MS, "60000", 10, SETTING_MS_MAX, NULL, false,                                  \
	  "a client that takes no byte for so long counts as gone")                                \
	X(stream_high_bytes, BYTES, "256KiB", 4096, 67108864, NULL, false,                         \
	  "unsent bytes of one answer above which its source is paused")                           \
	X(stream_low_bytes, BYTES, "64KiB", 1024, 67108864, NULL, false,                           \
	  "unsent bytes of one answer below which its source goes on")                             \
	X(drain_delay_ms, MS, "0", 0, SETTING_MS_MAX, NULL, true,                                  \
	  "after SIGTERM, time to go on accepting while /readyz says 503")                         \
	X(shutdown_grace_ms, MS, "30000", 0, SETTING_MS_MAX, NULL, true,                           \
	  "after that, time for running answers to end")                                           \
	X(log_level, ENUM, "info", 0, 0, "error|warn|info|debug", true,                            \
	  "how much is logged to standard error")                                                  \
	G("Access")                                                                                \
	X(user_header, NAME, "", 0, 0, NULL, true,                                                 \
	  "header in which a front end names its user, who is then an owner; empty means none")    \
	X(trust_user_header, BOOL, "false", 0, 0, NULL, true,                                      \
	  "take user_header from clients without a key too, where only a front end can reach us")  \
	X(max_jobs_per_owner, INT, "0", 0, 100000, NULL, true,                                     \
	  "long texts one owner may have written at once; 0 means no limit but max_jobs")          \
	X(words_per_day, INT, "0", 0, 1000000000, NULL, true,                                      \
	  "words of long texts an owner may have written a day (UTC); 0 means no limit")           \
	X(cors_origins, ORIGINS, "", 0, 0, NULL, true,                                             \
	  "origins whose pages may ask from a browser, with commas between, or *; empty is none")  \
	G("Calls to backends")                                                                     \
	X(default_backend, NAME, "", 0, 0, NULL, true,                                             \
	  "backend for what names no other; empty means the one called default, else the first")   \
	X(connect_ms, MS, "10000", 1, SETTING_MS_MAX, NULL, true,                                  \
	  "time to connect to a backend")                                                          \
	X(first_byte_ms, MS, "120000", 1, SETTING_MS_MAX, NULL, true,                              \
	  "time from the connection to the first byte of a backend's answer")                      \
	X(idle_ms, MS, "120000", 1, SETTING_MS_MAX, NULL, true,                                    \
	  "time between two pieces of a backend's answer")                                         \
	X(total_ms, MS, "3600000", 0, SETTING_MS_MAX, NULL, true,                                  \
	  "time one call to a backend may take in all; 0 means no limit")                          \
	X(breaker_failures, INT, "5", 0, 1000, NULL, true,                                         \
	  "failures in a row after which a backend is left alone; 0 means never")                  \
	X(breaker_open_ms, MS, "10000", 1, SETTING_MS_MAX, NULL, true,                             \
	  "how long it is left alone before one call tries again")                                 \
	X(retry_tries, INT, "5", 1, 100, NULL, true,                                               \
	  "attempts of one call of a long text, the first included; passthrough is never retried") \
	X(retry_base_ms, MS, "500", 1, SETTING_MS_MAX, NULL, true,                                 \
	  "wait after the first failed attempt; doubled each time, with jitter")                   \
	X(retry_cap_ms, MS, "15000", 1, SETTING_MS_MAX, NULL, true, "the longest such wait")       \
	X(retry_after_cap_ms, MS, "60000", 1, SETTING_MS_MAX, NULL, true,                          \
	  "the longest wait that a backend's Retry-After can ask for")                             \
	X(limit_wait_ms, MS, "10000", 1, SETTING_MS_MAX, NULL, true,                               \
	  "longest wait for a backend's limits of what passes through, then it is answered 429")   \
	G("What is written long")                                                                  \
	X(route, ENUM, "all", 0, 0, "all|longhand", true,                                          \
	  "plan long requests to any model (all), or only to longhand and the presets (longhand)") \
	X(plan_from_words, INT, "1000", 1, 10000000, NULL, true,                                   \
	  "a request to a backend's own model is planned from so many words on")                   \
	X(single_max_words, INT, "800", 1, 100000, NULL, true,                                     \
	  "up to so many words a text is written in one call, without a plan")                     \
	X(max_target_words, INT, "200000", 100, 10000000, NULL, true,                              \
	  "the longest text that may be asked for")                                                \
	X(context, ENUM, "auto", 0, 0, "auto|full|bounded|direct", true,                           \
	  "what a section's call is told of the text so far")                                      \
	X(prompts_dir, STRING, "", 0, 0, NULL, false,                                              \
	  "directory whose NAME.txt files replace the prompts compiled in; empty means none")      \
	X(state_dir, STRING, "", 0, 0, NULL, false,                                                \
	  "directory that long texts are kept in, so that they outlive the process; "              \
	  "empty means in memory")                                                                 \
	X(redis, REDIS, "", 0, 0, NULL, false,                                                     \
	  "where long texts are kept for several processes, Redis 6.2 or newer or Valkey "         \
	  "(redis://[[user]:password@]host:port/db); empty means not there")                       \
	X(redis_prefix, NAME, "longhand", 0, 0, NULL, false,                                       \
	  "what its keys begin with, before a colon")                                              \
	X(lease_ms, MS, "10000", 100, 600000, NULL, false,                                         \
	  "time without a sign of life after which others take over a process' texts in redis")    \
	X(max_jobs, INT, "256", 1, 100000, NULL, true,                                             \
	  "long texts written at once; one more is answered 429")                                  \
	X(retention_ms, MS, "600000", 0, SETTING_MS_MAX, NULL, true,                               \
	  "how long a finished long text is kept; 0 keeps nothing after the answer")               \
	X(park_ms, MS, "86400000", 0, 86400000, NULL, true,                                        \
	  "how long a text that nobody reads waits for a reader before it is forgotten")           \
	X(scan_ms, MS, "1000", 10, 3600000, NULL, true,                                            \
	  "how often a process looks for texts whose process is gone, where others have them too") \
	X(follow_ms, MS, "100", 1, 60000, NULL, true,                                              \
	  "how often readers of a text that another process writes look for more")                 \
	X(store_down, ENUM, "wait", 0, 0, "wait|refuse", true,                                     \
	  "new long texts while the store does not answer: they wait for it, or are answered 503") \
	G("How it is delivered")                                                                   \
	X(first_status_ms, MS, "5000", 0, SETTING_MS_MAX, NULL, true,                              \
	  "longest wait for a backend's first success before a long answer's headers are sent")    \
	X(heartbeat_ms, MS, "10000", 10, SETTING_MS_MAX, NULL, true,                               \
	  "silence after which a long stream gets a comment line")                                 \
	X(json_whitespace_after_ms, MS, "20000", 10, SETTING_MS_MAX, NULL, true,                   \
	  "wait after which a long answer that is not streamed gets white space")                  \
	X(progress_ms, MS, "1000", 0, SETTING_MS_MAX, NULL, true,                                  \
	  "least time between two progress reports in a stream")                                   \
	X(flush_ms, MS, "50", 0, 10000, NULL, true,                                                \
	  "longest time that written text is gathered before it is stored and sent")               \
	X(flush_bytes, BYTES, "512", 1, 1048576, NULL, true,                                       \
	  "gathered text that is stored and sent at once")                                         \
	X(reader_grace_ms, MS, "5000", 0, SETTING_MS_MAX, NULL, true,                              \
	  "how long a streamed text is written on after its last reader left; then it is parked")  \
	X(json_grace_ms, MS, "60000", 0, SETTING_MS_MAX, NULL, true,                               \
	  "the same for a text that is not streamed")

/* One backend: backends.NAME in the file. The backend called default has flags too: --backend
 * URL, --model ID and --backend-FIELD for the rest. */
#define BACKEND_SETTINGS(X)                                                                        \
	X(url, URL, "", 0, 0, NULL, true, "base URL of its API, up to and with /v1")               \
	X(model, STRING, "", 0, 0, NULL, true,                                                     \
	  "its model that longhand writes with; empty means its only one")                         \
	X(models, MAP, "", 0, 0, NULL, true, "client's model id, to the backend's model id")       \
	X(dialect, ENUM, "openai", 0, 0, "openai|llamacpp|vllm|ollama", true,                      \
	  "how its API differs")                                                                   \
	X(key_env, ENV_NAME, "", 0, 0, NULL, true,                                                 \
	  "environment variable that holds its key; empty means the client's own is sent on")      \
	X(long_output, BOOL, "false", 0, 0, NULL, true,                                            \
	  "its models write long texts by themselves")                                             \
	X(window_tokens, INT, "0", 0, 100000000, NULL, true,                                       \
	  "tokens that prompt and answer may have together; 0 means unknown")                      \
	X(max_in_flight, INT, "0", 0, 1000000, NULL, true,                                         \
	  "calls to it at once; 0 means no limit")                                                 \
	X(jobs_in_flight, INT, "0", 0, 1000000, NULL, true,                                        \
	  "of these, calls of long texts, so that passthrough finds room; 0 means all of them")    \
	X(requests_per_minute, INT, "0", 0, 100000000, NULL, true,                                 \
	  "calls to it within any 60 seconds; 0 means no limit")                                   \
	X(tokens_per_minute, INT, "0", 0, 1000000000, NULL, true,                                  \
	  "tokens of prompts and answers within any 60 seconds; 0 means no limit")

/* One API key: keys.NAME in the file. */
#define KEY_SETTINGS(X)                                                                            \
	X(hash, HASH, "", 0, 0, NULL, true, "SHA-256 of the key, as longhandd --hash-key prints it")

/* One preset, a model id that clients can choose: presets.NAME in the file. */
#define PRESET_SETTINGS(X)                                                                         \
	X(backend, NAME, "", 0, 0, NULL, true, "its backend; empty means the default one")         \
	X(model, STRING, "", 0, 0, NULL, true, "model at the backend; empty means its default")    \
	X(mode, ENUM, "auto", 0, 0, "auto|serial|single", true, "how long texts are written")      \
	X(target_words, INT, "0", 0, 10000000, NULL, true,                                         \
	  "length where the request names none; 0 means by kind of text")                          \
	X(headings, ENUM, "auto", 0, 0, "auto|none|markdown", true, "lines of headings")           \
	X(count, ENUM, "natural", 0, 0, "natural|benchmark", true, "how words are counted")        \
	X(context, ENUM, "auto", 0, 0, "auto|full|bounded|direct", true,                           \
	  "what a section's call is told of the text so far")
#endif

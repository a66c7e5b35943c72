/* turn - a request that may become a long text, from its body to whoever answers it: read (on the
 * thread pool where it is large), routed by one table, then started as a job or passed on. What
 * chat completions and responses share.
 *
 * A kind's own struct embeds the turn, zeroed before turn_start(). The turn ends by turn_free(),
 * turn_refuse() or turn_leave() and turn_free(), whatever comes first. */
#ifndef LONGHAND_API_TURN_H
#define LONGHAND_API_TURN_H
#include "api/api.h"
#include "api/chat_options.h"
#include "job/adopt.h"

struct turn;

struct turn_kind {
	/* Fills turn->chat, which may point into `body`; may run on a thread of the pool. False:
	 * turn->fault says why. */
	bool (*read)(struct turn *turn, struct slice body);
	/* Once it is read; ends in turn_decide() or turn_refuse(), on this turn or later. NULL:
	 * decided at once. */
	void (*prepare)(struct turn *turn);
	/* Something of prepare() is under way, and the request has gone: stop it. NULL ok. */
	void (*stop)(struct turn *turn);
	/* How the request calls what chat calls `param`, for errors. NULL: the same. */
	const char *(*param)(struct turn *turn, const char *param);
	/* The request is to be answered by the job: `asked` is what it would start with. False:
	 * turn->fault says why it can not. NULL ok. */
	bool (*ask)(struct turn *turn, struct job_request *asked);
	/* Answers the request by the job `id`. is_resumed: it was there before. */
	void (*answer)(struct turn *turn, struct job *job, const char *id, bool is_resumed);
	/* It is the backend's. The turn is the callee's to end. */
	void (*pass_on)(struct turn *turn, const struct model_target *target);
	/* Releases what the kind has, and frees the struct around the turn. */
	void (*free)(struct turn *turn);
};

struct turn {
	const struct turn_kind *kind;
	struct api *api;
	struct request *request; /* NULL once closed */
	struct buf body;	 /* the request's, while a thread reads it */
	struct work work;
	struct describe_call describe;
	struct chat_request chat;
	struct chat_options options;
	struct demand demand;
	struct route route;
	const struct api_preset *preset;
	struct api_fault fault;
	char *authorization; /* of the client; NULL: none, or not asked for yet */
	char owner[OWNER_BYTES];
	struct adoption adoption;   /* of an earlier request's job */
	struct model_target target; /* meanwhile: its strings are ours */
	bool is_readable;
	bool is_new_each_time; /* never takes up an earlier request's job */
};

void turn_start(struct turn *turn, const struct turn_kind *kind, struct api *api,
		struct request *request, const char *owner);
/* Reads the options and finds the way. */
void turn_decide(struct turn *turn);
/* The long path (turn_job.c): takes up an earlier request's job, or starts one. */
void turn_start_job(struct turn *turn, const struct model_target *target);
/* The request's on_closed while something is under way for the turn. */
void turn_on_closed(struct request *request);
/* The request is the caller's from now on: it sets callbacks of its own. */
struct request *turn_leave(struct turn *turn);
/* Whether nobody waits for the answer: the turn is freed then. */
bool turn_is_left(struct turn *turn);
/* Answers by turn->fault. */
void turn_refuse(struct turn *turn);
void turn_free(struct turn *turn);
/* The client's key, for calls of our own; what passes through carries its headers. NULL: none. */
const char *turn_authorization(struct turn *turn);
/* The body as it came. */
struct slice turn_body(const struct turn *turn);
#endif

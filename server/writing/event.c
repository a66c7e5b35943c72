#include "writing/event.h"

#include <string.h>

#include "base/mem.h"

static const char *const names[EVENT_KIND_COUNT] = {
#define X(name, text) [EVENT_##name] = text,
	EVENT_KINDS(X)
#undef X
};

const char *event_kind_name(enum event_kind kind)
{
	return names[kind];
}

bool event_kind_from_name(const char *name, enum event_kind *ret_kind)
{
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		if (strcmp(names[kind], name) == 0) {
			*ret_kind = (enum event_kind)kind;
			return true;
		}
	}
	return false;
}

bool event_is_end(enum event_kind kind)
{
	return kind == EVENT_DONE || kind == EVENT_FAILED;
}

enum err event_init(struct event *event, enum event_kind kind, unsigned section, struct slice text,
		    json_t *data)
{
	*event = (struct event){ .kind = kind, .section = section, .data = data };
	if (text.data == NULL)
		return OK;
	event->text = mem_copy(text.data, text.len);
	if (event->text == NULL) {
		event_release(event);
		return ERR_NO_MEMORY;
	}
	event->text_len = text.len;
	return OK;
}

void event_release(struct event *event)
{
	mem_free(event->text);
	json_decref(event->data);
	*event = (struct event){ .kind = event->kind };
}

#include "store/file_index.h"
#include <string.h>
#include "base/mem.h"

/* FNV-1a. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

static struct list *id_bucket(struct file_index *index, const char *id)
{
	return &index->ids[hash_of(id) % FILE_INDEX_BUCKETS];
}

static void put_first(struct list *list, struct list *node)
{
	list_append(list->next, node);
}

bool store_place_is_above(struct store_place place, struct store_place other)
{
	if (place.epoch != other.epoch)
		return place.epoch > other.epoch;
	return place.seq > other.seq;
}

void file_index_init(struct file_index *index)
{
	index->n_logs = 0;
	list_init(&index->orphans);
	for (size_t i = 0; i < FILE_INDEX_BUCKETS; i++) {
		list_init(&index->ids[i]);
		list_init(&index->labels[i]);
	}
}

struct file_log *file_index_add(struct file_index *index, const struct file_record *head)
{
	size_t text_bytes = 0;
	struct file_log *log;
	char *text;

	for (unsigned i = 0; i < head->n_labels; i++)
		text_bytes += strlen(head->labels[i]) + 1;
	log = mem_alloc(sizeof(*log) + text_bytes);
	if (log == NULL)
		return NULL;
	memcpy(log->id, head->job, sizeof(log->id));
	log->created_ms = head->t_ms;
	text = log->label_text;
	for (unsigned i = 0; i < head->n_labels; i++) {
		size_t bytes = strlen(head->labels[i]) + 1;

		memcpy(text, head->labels[i], bytes);
		log->labels[i] =
			(struct file_label){ .log = log, .hash = hash_of(text), .text = text };
		text += bytes;
	}
	log->n_labels = head->n_labels;
	list_append(id_bucket(index, log->id), &log->node);
	index->n_logs++;
	return log;
}

struct file_log *file_index_get(struct file_index *index, const char *id)
{
	struct list *bucket = id_bucket(index, id);

	LIST_EACH (node, bucket) {
		struct file_log *log = container_of(node, struct file_log, node);

		if (strcmp(log->id, id) == 0)
			return log;
	}
	return NULL;
}

void file_index_remove(struct file_index *index, struct file_log *log)
{
	for (unsigned i = 0; i < log->n_labels; i++)
		list_remove(&log->labels[i].node);
	list_remove(&log->orphan);
	list_remove(&log->node);
	index->n_logs--;
	mem_free(log->marks);
	mem_free(log);
}

void file_index_publish(struct file_index *index, struct file_log *log)
{
	log->is_created = true;
	for (unsigned i = 0; i < log->n_labels; i++) {
		struct file_label *label = &log->labels[i];

		if ((log->hidden & 1u << i) == 0)
			put_first(&index->labels[label->hash % FILE_INDEX_BUCKETS], &label->node);
	}
}

unsigned file_log_label_bit(const struct file_log *log, const char *label)
{
	for (unsigned i = 0; i < log->n_labels; i++)
		if (strcmp(log->labels[i].text, label) == 0)
			return 1u << i;
	return 0;
}

void file_log_hide(struct file_log *log, unsigned hidden)
{
	log->hidden = hidden;
	for (unsigned i = 0; i < log->n_labels; i++)
		if ((hidden & 1u << i) != 0)
			list_remove(&log->labels[i].node);
}

void file_log_set_orphan(struct file_index *index, struct file_log *log, bool is_orphan)
{
	if (!is_orphan)
		list_remove(&log->orphan);
	else if (log->orphan.next == NULL)
		put_first(&index->orphans, &log->orphan);
}

void file_log_enter(struct file_index *index, struct file_log *log, struct store_place place,
		    enum store_state state)
{
	log->place = place;
	log->state = state;
	file_log_set_orphan(index, log, state == STORE_OFFERED);
}

/* False: there is no room for more. */
static bool add_found(struct store_find *find, const struct file_log *log)
{
	if (log->is_leaving)
		return true;
	find->is_more = find->n_ids == STORE_FOUND_MAX;
	if (!find->is_more)
		memcpy(find->ids[find->n_ids++], log->id, sizeof(log->id));
	return !find->is_more;
}

void file_index_find(struct file_index *index, struct store_find *find)
{
	uint32_t hash = hash_of(find->label);
	struct list *bucket = &index->labels[hash % FILE_INDEX_BUCKETS];

	find->n_ids = 0;
	find->is_more = false;
	LIST_EACH (node, bucket) {
		const struct file_label *label = container_of(node, struct file_label, node);

		if (label->hash == hash && strcmp(label->text, find->label) == 0 &&
		    !add_found(find, label->log))
			break;
	}
}

void file_index_orphans(struct file_index *index, struct store_find *find)
{
	find->n_ids = 0;
	find->is_more = false;
	LIST_EACH (node, &index->orphans)
		if (!add_found(find, container_of(node, struct file_log, orphan)))
			break;
}

struct file_mark file_log_mark(const struct file_log *log, struct store_place after)
{
	struct file_mark mark = { .offset = 0 };

	for (size_t i = 0; i < log->n_marks; i++) {
		if (store_place_is_above(log->marks[i].place, after))
			break;
		mark = log->marks[i];
	}
	return mark;
}

void file_log_add_mark(struct file_log *log, struct file_mark mark)
{
	uint64_t last = log->n_marks > 0 ? log->marks[log->n_marks - 1].offset : 0;
	struct file_mark *marks;
	size_t room;

	if (mark.offset < last + FILE_MARK_EVERY_BYTES)
		return;
	if (log->n_marks == log->marks_room) {
		room = log->marks_room > 0 ? log->marks_room * 2 : 4;
		marks = mem_realloc(log->marks, room * sizeof(*marks));
		if (marks == NULL)
			return;
		log->marks = marks;
		log->marks_room = room;
	}
	log->marks[log->n_marks++] = mark;
}

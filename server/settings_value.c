#include "settings_value.h"
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include "base/key_hash.h"
#include "base/mem.h"
#include "base/redis_url.h"

enum { NAME_BYTES_MAX = 64, TEXT_BYTES_MAX = 4096, NEAR_BYTES_MAX = 64, NEAR_DISTANCE_MAX = 2 };
enum { ITEM_BYTES_MAX = 256 };

const struct setting *setting_find(const struct setting_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].type != SETTING_GROUP && strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

bool setting_is_text(enum setting_type type)
{
	return type >= SETTING_STRING && type <= SETTING_ENV_NAME;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_of(const char *text, size_t len, const char *others)
{
	for (size_t i = 0; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) && strchr(others, text[i]) == NULL)
			return false;
	return true;
}

bool setting_is_name(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= NAME_BYTES_MAX && is_of(text, len, "._-");
}

static bool is_env_name(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= NAME_BYTES_MAX && !is_digit(text[0]) && is_of(text, len, "_");
}

static bool is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");
	long port = 0;

	if (len == 0 || len > 5 || text[len] != '\0' || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++)
		port = port * 10 + (text[i] - '0');
	return port <= 65535;
}

static bool is_address(const char *text)
{
	const char *colon;

	if (strncmp(text, "unix:", 5) == 0)
		return text[5] == '/' && strlen(text + 5) < 108; /* sun_path */
	colon = strrchr(text, ':');
	if (colon == NULL || colon == text || !is_port(colon + 1))
		return false;
	if (text[0] == '[')
		return colon[-1] == ']' && colon - text > 3 &&
		       strspn(text + 1, "0123456789abcdefABCDEF:.") == (size_t)(colon - text - 2);
	return is_of(text, (size_t)(colon - text), ".-_");
}

/* scheme://host[:port][/path]; what follows the path is ours. */
static bool is_url(const char *text)
{
	const char *host = strstr(text, "://");
	size_t len;
	const char *colon;

	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return false;
	host += 3;
	len = strcspn(host, "/");
	if (len == 0 || strpbrk(text, "?#@\\ \"<>") != NULL)
		return false;
	if (host[0] == '[') {
		colon = memchr(host, ']', len);
		return colon != NULL && (colon + 1 == host + len || colon[1] == ':');
	}
	colon = memchr(host, ':', len);
	return colon == NULL ||
	       (colon > host && colon + 1 < host + len &&
		strspn(colon + 1, "0123456789") == (size_t)(host + len - colon - 1));
}

/* Items with commas between; blanks around them are left out. */
static bool is_list(const char *text, bool (*is_item)(const char *text))
{
	for (;;) {
		char item[ITEM_BYTES_MAX];
		size_t len;

		text += strspn(text, " ");
		len = strcspn(text, ", ");
		if (len == 0 || len >= sizeof(item))
			return false;
		memcpy(item, text, len);
		item[len] = '\0';
		if (!is_item(item))
			return false;
		text += len;
		text += strspn(text, " ");
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}

/* A URL without path, as browsers send it: lower-case, no slash at the end. */
static bool is_origin(const char *text)
{
	return is_url(text) && strchr(strstr(text, "://") + 3, '/') == NULL &&
	       strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL;
}

static bool is_origins(const char *text)
{
	return strcmp(text, "*") == 0 || is_list(text, is_origin);
}

static bool is_addresses(const char *text)
{
	return is_list(text, is_address);
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static bool is_hash(const char *text)
{
	struct key_hash hash;

	return key_hash_parse(text, &hash);
}

static const struct {
	enum setting_type type;
	bool (*is_good)(const char *text);
	const char *fault;
} text_types[] = {
	{ SETTING_NAME, setting_is_name, "is not a name of letters, digits, . _ and -" },
	{ SETTING_ADDRESS, is_addresses,
	  "is not host:port, [v6]:port or unix:/path, several with commas between" },
	{ SETTING_URL, is_url,
	  "is not http://host[:port]/path or https://... without user, query and fragment" },
	{ SETTING_ORIGINS, is_origins,
	  "is not a list of origins (https://host[:port], commas between), nor *" },
	{ SETTING_HASH, is_hash,
	  "is not sha256: and 64 hexadecimal digits; longhandd --hash-key makes it from a key" },
	{ SETTING_ENV_NAME, is_env_name, "is not the name of an environment variable" },
};

/* Never quotes it: there may be a password in it. */
static const char *redis_fault(const char *text)
{
	struct redis_url url;
	const char *fault = NULL;

	if (redis_url_parse(text, &url, &fault) == ERR_INVALID)
		return fault;
	redis_url_release(&url); /* where memory is out, others will notice */
	return NULL;
}

/* What is wrong with a text of that type, or NULL. An empty text means "not set". Never quotes
 * the text: somebody may have put a key where its name belongs. */
static const char *text_fault(enum setting_type type, const char *text)
{
	if (strlen(text) > TEXT_BYTES_MAX)
		return "is too long";
	if (has_control(text))
		return "has control characters";
	if (text[0] == '\0')
		return type == SETTING_ADDRESS ? "is empty" : NULL;
	if (type == SETTING_REDIS)
		return redis_fault(text);
	for (size_t i = 0; i < sizeof(text_types) / sizeof(text_types[0]); i++)
		if (text_types[i].type == type)
			return text_types[i].is_good(text) ? NULL : text_types[i].fault;
	return NULL;
}

static enum err parse_text(const struct setting *setting, const char *text, char **field,
			   struct buf *message)
{
	const char *fault = text_fault(setting->type, text);
	size_t len = strlen(text);
	char *copy;

	if (fault != NULL)
		return REFUSE(message, "%s", fault);
	while (setting->type == SETTING_URL && len > 0 && text[len - 1] == '/')
		len--;
	copy = mem_copy(text, len);
	if (copy == NULL)
		return ERR_NO_MEMORY;
	mem_free(*field);
	*field = copy;
	return OK;
}

/* The number at the start of the text; returns what follows it, NULL when there is no number
 * that fits. */
static const char *read_number(const char *text, int64_t *ret)
{
	bool is_negative = text[0] == '-';
	const char *at = text + is_negative;
	int64_t number = 0;

	if (!is_digit(*at))
		return NULL;
	for (; is_digit(*at); at++) {
		int digit = *at - '0';

		if (number > (INT64_MAX - digit) / 10)
			return NULL;
		number = number * 10 + digit;
	}
	*ret = is_negative ? -number : number;
	return at;
}

/* How much one of the unit is; 0: no such unit. */
static int64_t unit_bytes(const char *unit)
{
	static const struct {
		const char *name;
		int64_t bytes;
	} units[] = { { "", 1 }, { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].name) == 0)
			return units[i].bytes;
	return 0;
}

static enum err parse_number(const struct setting *setting, const char *text, int64_t *ret,
			     struct buf *message)
{
	int64_t number = 0;
	const char *unit = read_number(text, &number);
	const char *digits = text + (text[0] == '-');
	int64_t bytes = 1;

	if (unit != NULL && setting->type == SETTING_BYTES)
		bytes = unit_bytes(unit);
	else if (unit != NULL && *unit != '\0')
		unit = NULL;
	if (unit == NULL || bytes == 0)
		return REFUSE(message, "\"%.40s\" is not a whole number%s", text,
			      setting->type == SETTING_BYTES ? " of bytes, KiB, MiB or GiB" : "");
	if (digits[0] == '0' && is_digit(digits[1]))
		return REFUSE(message, "\"%.40s\" has a leading zero", text);
	if (number > setting->max / bytes || number * bytes < setting->min)
		return REFUSE(message, "%.40s is out of range, %" PRId64 " to %" PRId64, text,
			      setting->min, setting->max);
	*ret = number * bytes;
	return OK;
}

static enum err parse_bool(const char *text, bool *ret, struct buf *message)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return REFUSE(message, "\"%.40s\" is neither true nor false", text);
	*ret = text[0] == 't';
	return OK;
}

static enum err parse_enum(const struct setting *setting, const char *text, int *ret,
			   struct buf *message)
{
	const char *at = setting->choices;
	size_t wanted = strlen(text);

	for (int index = 0;; index++) {
		size_t len = strcspn(at, "|");

		if (len == wanted && memcmp(at, text, len) == 0) {
			*ret = index;
			return OK;
		}
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	return REFUSE(message, "\"%.40s\" is not one of %s", text, setting->choices);
}

enum err setting_parse(const struct setting *setting, const char *text, void *base,
		       struct buf *message)
{
	void *field = (char *)base + setting->offset;
	int64_t number = 0;
	enum err err;

	switch (setting->type) {
	case SETTING_BOOL:
		return parse_bool(text, field, message);
	case SETTING_ENUM:
		return parse_enum(setting, text, field, message);
	case SETTING_INT:
	case SETTING_MS:
	case SETTING_BYTES:
		err = parse_number(setting, text, &number, message);
		if (err == OK && setting->type == SETTING_INT)
			*(int64_t *)field = number;
		else if (err == OK)
			*(uint64_t *)field = (uint64_t)number; /* the least min is 0 */
		return err;
	case SETTING_MAP:
	case SETTING_GROUP:
		return REFUSE(message, "can only be given in the file");
	default:
		return parse_text(setting, text, field, message);
	}
}

enum err setting_map_add(const struct setting *setting, void *base, const char *name,
			 const char *value)
{
	struct settings_map *map = (void *)((char *)base + setting->offset);
	struct settings_pair pair = { mem_strdup(name), mem_strdup(value) };
	struct settings_pair *pairs = NULL;

	if (pair.name != NULL && pair.value != NULL)
		pairs = mem_realloc(map->pairs, (map->count + 1) * sizeof(*pairs));
	if (pairs == NULL) {
		mem_free(pair.name);
		mem_free(pair.value);
		return ERR_NO_MEMORY;
	}
	map->pairs = pairs;
	map->pairs[map->count++] = pair;
	return OK;
}

enum err settings_set_defaults(const struct setting_table *table, void *base)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < table->count; i++) {
		const struct setting *setting = &table->rows[i];
		char **text = (void *)((char *)base + setting->offset);
		struct buf fault;

		if (setting->type == SETTING_GROUP || setting->type == SETTING_MAP)
			continue;
		if (setting_is_text(setting->type)) {
			*text = mem_strdup(setting->default_text);
			err = *text != NULL ? OK : ERR_NO_MEMORY;
			continue;
		}
		buf_init(&fault, TEXT_BYTES_MAX);
		err = setting_parse(setting, setting->default_text, base, &fault);
		buf_release(&fault);
	}
	return err;
}

static void free_map(struct settings_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		mem_free(map->pairs[i].name);
		mem_free(map->pairs[i].value);
	}
	mem_free(map->pairs);
	*map = (struct settings_map){ .count = 0 };
}

void settings_free_values(const struct setting_table *table, void *base)
{
	for (size_t i = 0; i < table->count; i++) {
		void *field = (char *)base + table->rows[i].offset;

		if (setting_is_text(table->rows[i].type))
			mem_free(*(char **)field);
		else if (table->rows[i].type == SETTING_MAP)
			free_map(field);
	}
}

static bool is_same_map(const struct settings_map *a, const struct settings_map *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->pairs[i].name, b->pairs[i].name) != 0 ||
		    strcmp(a->pairs[i].value, b->pairs[i].value) != 0)
			return false;
	return true;
}

bool setting_is_equal(const struct setting *setting, const void *a, const void *b)
{
	const void *one = (const char *)a + setting->offset;
	const void *other = (const char *)b + setting->offset;

	switch (setting->type) {
	case SETTING_GROUP:
		return true;
	case SETTING_MAP:
		return is_same_map(one, other);
	case SETTING_BOOL:
		return *(const bool *)one == *(const bool *)other;
	case SETTING_ENUM:
		return *(const int *)one == *(const int *)other;
	case SETTING_INT:
		return *(const int64_t *)one == *(const int64_t *)other;
	case SETTING_MS:
	case SETTING_BYTES:
		return *(const uint64_t *)one == *(const uint64_t *)other;
	default:
		return strcmp(*(char *const *)one, *(char *const *)other) == 0;
	}
}

/* Levenshtein's distance, one row at a time. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[NEAR_BYTES_MAX + 1];
	size_t b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t least = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = change < least ? change : least;
		}
	}
	return row[b_len];
}

void near_miss_offer(struct near_miss *near, const char *candidate)
{
	size_t distance;

	if (strlen(candidate) > NEAR_BYTES_MAX || strlen(near->wanted) > NEAR_BYTES_MAX)
		return;
	distance = edit_distance(near->wanted, candidate);
	if (distance > NEAR_DISTANCE_MAX || distance >= strlen(near->wanted))
		return;
	if (near->best != NULL && distance >= near->distance)
		return;
	near->best = candidate;
	near->distance = distance;
}

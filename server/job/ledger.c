#include "job/ledger.h"
#include "base/mem.h"
#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000 };

struct account {
	struct list node;
	char *owner;
	size_t running;
	uint64_t promised_words; /* of what runs */
	uint64_t written_words;	 /* on that day */
	uint64_t day;
};

void ledger_init(struct ledger *ledger)
{
	list_init(&ledger->accounts);
}

static void account_free(struct account *account)
{
	list_remove(&account->node);
	mem_free(account->owner);
	mem_free(account);
}

void ledger_release(struct ledger *ledger)
{
	LIST_EACH(node, &ledger->accounts)
		account_free(container_of(node, struct account, node));
}

static struct account *find(const struct ledger *ledger, const char *owner)
{
	LIST_EACH(node, &ledger->accounts) {
		struct account *account = container_of(node, struct account, node);

		if (strcmp(account->owner, owner) == 0)
			return account;
	}
	return NULL;
}

/* Of earlier days nothing is known any more. */
static void turn_page(struct account *account, uint64_t day)
{
	if (account->day == day)
		return;
	account->day = day;
	account->written_words = 0;
}

uint64_t ledger_words_left(const struct ledger *ledger, const struct ledger_limits *limits,
			   const char *owner, uint64_t wall_ms)
{
	const struct account *account = find(ledger, owner);
	uint64_t used = 0;

	if (limits->words_per_day == 0)
		return UINT64_MAX;
	if (account != NULL)
		used = account->promised_words +
		       (account->day == wall_ms / DAY_MS ? account->written_words : 0);
	return used < limits->words_per_day ? limits->words_per_day - used : 0;
}

enum ledger_verdict ledger_ask(const struct ledger *ledger, const struct ledger_limits *limits,
			       const char *owner, uint64_t words, uint64_t wall_ms)
{
	const struct account *account = find(ledger, owner);

	if (limits->jobs_max > 0 && account != NULL && account->running >= limits->jobs_max)
		return LEDGER_JOBS;
	return words <= ledger_words_left(ledger, limits, owner, wall_ms) ? LEDGER_OK
									  : LEDGER_WORDS;
}

static struct account *account_new(struct ledger *ledger, const char *owner)
{
	struct account *account = mem_alloc(sizeof(*account));

	if (account == NULL)
		return NULL;
	account->owner = mem_strdup(owner);
	if (account->owner == NULL) {
		mem_free(account);
		return NULL;
	}
	list_append(&ledger->accounts, &account->node);
	return account;
}

static void drop_old(struct ledger *ledger, uint64_t day)
{
	LIST_EACH(node, &ledger->accounts) {
		struct account *account = container_of(node, struct account, node);

		if (account->running == 0 && account->day != day)
			account_free(account);
	}
}

enum err ledger_open(struct ledger *ledger, const char *owner, uint64_t words, uint64_t wall_ms,
		     struct account **ret_account)
{
	uint64_t day = wall_ms / DAY_MS;
	struct account *account;

	drop_old(ledger, day);
	account = find(ledger, owner);
	if (account == NULL)
		account = account_new(ledger, owner);
	if (account == NULL)
		return ERR_NO_MEMORY;
	turn_page(account, day);
	account->running++;
	account->promised_words += words;
	*ret_account = account;
	return OK;
}

void ledger_close(struct account *account, uint64_t asked, uint64_t written, uint64_t wall_ms)
{
	turn_page(account, wall_ms / DAY_MS);
	account->running--;
	account->promised_words -= asked;
	account->written_words += written;
}

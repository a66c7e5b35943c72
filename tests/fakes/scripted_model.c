#include "fakes/scripted_model.h"

#include <math.h>
#include <string.h>

#include "base/must.h"

enum { ANSWER_BYTES_MAX = 1 << 20, LOOP_TIMES = 60 };

static const char *const words_english[] = {
	"river",    "window",  "quiet",	  "market",  "stone",	"letter",    "garden",	"winter",
	"lantern",  "bridge",  "copper",  "village", "thread",	"harbor",    "promise", "shadow",
	"orchard",  "whisper", "canvas",  "engine",  "morning", "pattern",   "journey", "silver",
	"mountain", "kitchen", "signal",  "thunder", "paper",	"feather",   "compass", "island",
	"teacher",  "meadow",  "circle",  "history", "science", "culture",   "energy",	"machine",
	"language", "method",  "result",  "problem", "reason",	"measure",   "balance", "culture",
	"keeps",    "follows", "carries", "finds",   "builds",	"remembers", "shows",	"opens",
	"slowly",   "often",   "never",	  "always",  "gently",	"nearly",    "under",	"beyond",
	"with",	    "without", "toward",  "between", "against", "through",   "before",	"after",
};
static const char words_chinese[] =
	"山水人心天地日月春秋风雨花草城市河流时间空间生活工作学习思考方法问题结果原因历史文化科学技术"
	"社会国家经济教育健康环境发展变化过程关系能力知识经验语言文字声音颜色光影道路桥梁房屋窗户树木"
	"海洋天空大地星辰清晨黄昏夜晚记忆梦想希望勇气力量温暖安静美丽深远";

void scripted_model_init(struct scripted_model *model, uint64_t seed)
{
	*model = (struct scripted_model){ .seed = seed, .factor_min = 1, .factor_max = 1 };
}

/* Once more after a failure: it was meant for the engine (mem_fail_at fails one only). */
static void add_bytes(struct buf *out, const char *text, size_t len)
{
	if (buf_append(out, text, len) != OK)
		MUST(buf_append(out, text, len) == OK);
}

static void add(struct buf *out, const char *text)
{
	add_bytes(out, text, strlen(text));
}

static uint64_t draw(struct scripted_model *model)
{
	uint64_t x = model->seed += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static size_t below(struct scripted_model *model, size_t n)
{
	return (size_t)(draw(model) % n);
}

static void add_word(struct scripted_model *model, bool is_first, struct buf *out)
{
	const char *word =
		words_english[below(model, sizeof(words_english) / sizeof(words_english[0]))];

	char first = is_first ? (char)(word[0] - 'a' + 'A') : word[0];

	add(out, is_first ? "" : " ");
	add_bytes(out, &first, 1);
	add(out, word + 1);
}

/* Returns its words. */
static long add_sentence(struct scripted_model *model, bool is_chinese, struct buf *out)
{
	long n = (long)(is_chinese ? 12 : 6) + (long)below(model, is_chinese ? 30 : 20);

	for (long i = 0; i < n; i++) {
		size_t at = below(model, sizeof(words_chinese) / 3) * 3;

		if (is_chinese)
			add_bytes(out, words_chinese + at, 3);
		else
			add_word(model, i == 0, out);
		if (is_chinese && i % 9 == 8 && i + 2 < n)
			add(out, "，");
	}
	add(out, is_chinese ? "。" : ".");
	return n;
}

static void add_prose(struct scripted_model *model, bool is_chinese, long words, struct buf *out)
{
	long written = 0;
	unsigned n = 0;

	while (written < words) {
		if (n > 0)
			add(out, n % 5 == 0 ? "\n\n" : is_chinese ? "" : " ");
		written += add_sentence(model, is_chinese, out);
		n++;
	}
}

static void add_loop(struct scripted_model *model, struct buf *out)
{
	struct buf loop;

	buf_init(&loop, ANSWER_BYTES_MAX);
	for (int i = 0; i < 3; i++) {
		add(&loop, model->is_chinese ? "" : " ");
		add_sentence(model, model->is_chinese, &loop);
	}
	for (int i = 0; i < LOOP_TIMES; i++)
		add(out, buf_str(&loop));
	buf_release(&loop);
}

/* The last bytes of the text so far, from a sentence's start. */
static void add_echo(const struct state *state, struct buf *out)
{
	const char *text = buf_str(&state->text), *at = text;
	size_t from = state->text.len > 400 ? state->text.len - 400 : 0;

	for (const char *end = text + from; at < end;) {
		const char *next = strstr(at, ". ");

		if (next == NULL)
			break;
		at = next + 2;
	}
	add(out, at);
	add(out, " ");
}

/* In front of the prose; what it says is not the text. */
static void add_front(struct scripted_model *model, const struct engine_ask *ask,
		      const struct state *state, struct buf *out)
{
	const char *title = ask->section > 0 ? state->plan.sections[ask->section - 1].title : "";

	switch (model->fault) {
	case FAULT_META:
		add(out, model->is_chinese ? "好的，以下是这一部分的正文：\n\n"
					   : "Sure, here is the section you asked for:\n\n");
		break;
	case FAULT_THINK:
		add(out, "<think>\nI should plan this first. It is long.\n</think>\n\n");
		break;
	case FAULT_THINK_OPEN:
		add(out, "<think>\nI should plan this first and then I should plan more. ");
		break;
	case FAULT_THINK_LONE:
		add(out, "I should plan this first.\n</think>\n\n");
		break;
	case FAULT_ECHO:
		add_echo(state, out);
		break;
	case FAULT_REPEAT:
		add_bytes(out, buf_str(&state->text),
			  state->text.len < 1500 ? state->text.len : 1500);
		add(out, "\n\n");
		break;
	case FAULT_MARKS:
		add(out, "## Section 2: ");
		add(out, title);
		add(out, "\n\n**");
		add(out, title);
		add(out, "**\n\n");
		break;
	case FAULT_CONCLUDE:
		add_sentence(model, model->is_chinese, out);
		add(out, model->is_chinese ? "综上所述，山水人心都很好。"
					   : " In conclusion, all of it was good. ");
		break;
	default:
		break;
	}
}

/* What is said behind the prose. */
static const struct {
	enum scripted_fault fault;
	const char *english, *chinese;
} backs[] = {
	{ FAULT_META,
	  "\n\n(Word count: 300)\n\nI hope this helps! Let me know if you need anything else.",
	  "\n\n希望这段内容对您有帮助！" },
	{ FAULT_CUT, " This sentence is not", "这一句话还没有说" },
	{ FAULT_STOP_EARLY, " This sentence is not", "这一句话还没有说" },
	{ FAULT_BREAK, " This sentence is not", "这一句话还没有说" },
	{ FAULT_STOP_LINE, "\n\nThis sentence is not at its end and stops here in",
	  "\n\n这一句话还没有说完就停在了这里而且" },
	{ FAULT_STOP_COMMA, "\n\nThis sentence is not over,", "\n\n这一句话还没有说完，" },
	{ FAULT_LIST_END, "\n\n- clear water\n- a rope, a lamp and oil that lasts for a night",
	  "\n\n- 清水\n- 绳索和够点一整夜的灯油" },
};

static void add_back(struct scripted_model *model, struct scripted_answer *answer)
{
	struct buf *out = &answer->text;

	for (size_t i = 0; i < sizeof(backs) / sizeof(backs[0]); i++)
		if (backs[i].fault == model->fault)
			add(out, model->is_chinese ? backs[i].chinese : backs[i].english);
	if (model->fault == FAULT_LOOP)
		add_loop(model, out);
	if (model->fault == FAULT_WORD_LOOP)
		for (int i = 0; i < 2000; i++)
			add(out, model->is_chinese ? "又是这样一天" : " and on and on it goes");
	if (model->fault == FAULT_CUT)
		answer->finish = FINISH_LENGTH;
	if (model->fault == FAULT_BREAK)
		answer->result = ERR_BROKEN;
}

/* Without a lone closing tag: what that takes back depends on what is out already. */
static void add_noise(struct scripted_model *model, struct buf *out)
{
	static const char *const bits[] = {
		"<think>x</think>",

		"<",
		"\n\n",
		"\n",
		"...",
		"\"",
		"“",
		"”",
		"。",
		"## ",
		"**",
		"Sure, here is the section:",
		"1. ",
		"- ",
		"| a | b |\n",
		"```\n",
		"word ",
		"Word ",
		"Section 3: ",
		"? ",
		"! ",
		". ",
		"…",
		"：",
		"In conclusion, ",
		"Mr. ",
		"U.S. ",
		"é",
		"用AI",
		"　",
		"天地玄黄",
		"the sea lay still ",
		"\t",
		"  ",
		"(400 words)",
		"---\n",
		"I hope this helps! ",
		"and so it went on ",
		"he said. ",
		"She left. ",
		"\r\n",
	};
	size_t n = 20 + below(model, 400);

	for (size_t i = 0; i < n; i++)
		add(out, bits[below(model, sizeof(bits) / sizeof(bits[0]))]);
}

static void write_text(struct scripted_model *model, const struct engine_ask *ask,
		       const struct state *state, struct scripted_answer *answer)
{
	double span = model->factor_max - model->factor_min;
	double factor = model->factor_min + span * (double)below(model, 1001) / 1000.0;
	bool is_faulty = model->fault_every > 0 && (model->calls - 1) % model->fault_every == 0;
	enum scripted_fault fault = model->fault;
	long words = lround((double)ask->words * factor);

	if (!is_faulty)
		model->fault = FAULT_NONE;
	if (model->fault == FAULT_REFUSE)
		add(&answer->text, model->is_chinese ? "抱歉，我无法完成您的请求。"
						     : "I'm sorry, but I can't help with that.");
	if (model->fault == FAULT_NOISE)
		add_noise(model, &answer->text);
	else if (model->fault != FAULT_REFUSE && model->fault != FAULT_EMPTY) {
		add_front(model, ask, state, &answer->text);
		add_prose(model, model->is_chinese != (model->fault == FAULT_FLIP), words,
			  &answer->text);
		add_back(model, answer);
	}
	model->fault = fault;
}

static void write_plan(struct scripted_model *model, const struct engine_ask *ask, struct buf *out)
{
	if (model->plan_text != NULL) {
		add(out, model->plan_text);
		return;
	}
	add(out, "{\"sections\":[");
	for (size_t i = 0; i < ask->n_titles; i++) {
		add(out, i > 0 ? ",{\"title\":\"" : "{\"title\":\"");
		for (int word = 0; word < 4; word++) {
			size_t at = below(model, sizeof(words_chinese) / 6) * 6;

			if (model->is_chinese)
				add_bytes(out, words_chinese + at, 6);
			else
				add_word(model, word == 0, out);
		}
		add(out, "\",\"point\":\"What it is about.\"}");
	}
	add(out, "]}");
}

void scripted_model_answer(struct scripted_model *model, const struct engine_ask *ask,
			   const struct state *state, struct scripted_answer *ret_answer)
{
	*ret_answer = (struct scripted_answer){ .result = OK, .finish = FINISH_STOP };
	buf_init(&ret_answer->text, ANSWER_BYTES_MAX);
	model->calls++;
	if (ask->role == ASK_PLAN)
		write_plan(model, ask, &ret_answer->text);
	else
		write_text(model, ask, state, ret_answer);
}

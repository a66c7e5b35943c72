// openai-node, told by its arguments what to do; prints one JSON object.
//   node client.mjs BASE_URL STORY
import OpenAI from 'openai';

const [baseURL, story] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'sk-test', maxRetries: 0, timeout: 60000 });
const article = [
	{ role: 'user', content: 'Write an article of 1,500 words about the history of tea.' },
];
const hello = [{ role: 'user', content: 'Say hello.' }];

async function gather(stream) {
	const seen = { text: '', reasoning: '', progress: [], report: null, usage: null, finish: null };

	for await (const chunk of stream) {
		seen.usage = chunk.usage ?? seen.usage;
		seen.report = chunk.longhand?.report ?? seen.report;
		if (chunk.longhand?.section) seen.progress.push(chunk.longhand);
		for (const choice of chunk.choices) {
			seen.text += choice.delta.content ?? '';
			seen.reasoning += choice.delta.reasoning_content ?? '';
			seen.finish = choice.finish_reason ?? seen.finish;
		}
	}
	return seen;
}

const streamed = (extra = {}) =>
	client.chat.completions.create({ model: 'longhand', messages: article, stream: true, ...extra });

const stories = {
	whole: () => client.chat.completions.create({ model: 'longhand', messages: article }),
	stream: async () => gather(await streamed({ stream_options: { include_usage: true } })),
	helper: async () => {
		const stream = client.chat.completions.stream({ model: 'longhand', messages: article });
		return stream.finalChatCompletion();
	},
	options: () =>
		client.chat.completions.create({
			model: 'longhand', messages: hello, longhand: { target_words: 1100 },
		}),
	wrong: () =>
		client.chat.completions.create({
			model: 'longhand', messages: article, longhand: { mode: 'fast' },
		}),
	hello: () => client.chat.completions.create({ model: 'scripted-model', messages: hello }),
	hello_stream: async () =>
		gather(await client.chat.completions.create({
			model: 'scripted-model', messages: hello, stream: true,
		})),
	large: () =>
		client.chat.completions.create({
			model: 'longhand', messages: [{ role: 'user', content: 'x'.repeat(30000) }],
		}),
	broken: async () => gather(await streamed()),
	abort: async () => {
		const stream = await client.chat.completions.create({
			model: 'scripted-model', stream: true,
			messages: [{ role: 'user', content: 'Say 90 words.' }],
		});

		for await (const chunk of stream) {
			if (chunk.choices[0].delta.content) break;
		}
		console.log('{"left":true}');
		process.stdin.resume(); // stays alive: the socket is closed by the abort, not by our end
		return null;
	},
	models: async () => ({
		ids: (await client.models.list()).data.map((model) => model.id),
		one: await client.models.retrieve('org/other'),
	}),
	fifty: async () => {
		const one = async (seed) => (seed % 2
			? (await client.chat.completions.create({ model: 'longhand', messages: article, seed }))
				.choices[0].message.content
			: (await gather(await streamed({ seed }))).text);
		return { texts: await Promise.all([...Array(50).keys()].map(one)) };
	},
};

try {
	const value = await stories[story]();
	if (value !== null) console.log(JSON.stringify({ value }));
} catch (error) {
	console.log(JSON.stringify({
		error: {
			name: error.constructor.name, status: error.status ?? null, code: error.code ?? null,
			param: error.param ?? null, type: error.type ?? null, message: error.message,
			request_id: error.requestID ?? null,
		},
	}));
}

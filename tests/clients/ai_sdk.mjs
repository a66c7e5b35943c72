// The AI SDK with its OpenAI-compatible provider; see story.mjs.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';
import { article, baseURL, impatient, left, statuses, tell, thrown } from './story.mjs';

// The way to what is Longhand's own in answers: it becomes providerMetadata.
const metadataExtractor = {
	extractMetadata: async ({ parsedBody }) => ({ longhand: parsedBody.longhand ?? {} }),
	createStreamExtractor: () => {
		let said = {};
		return {
			processChunk: (chunk) => { said = { ...said, ...chunk?.longhand }; },
			buildMetadata: () => ({ longhand: said }),
		};
	},
};

const provider = (extra = {}) => createOpenAICompatible({
	name: 'longhand', baseURL, apiKey: 'sk-test', includeUsage: true, metadataExtractor, ...extra,
});
const long = (extra = {}) => ({
	model: provider()('longhand'), prompt: article, maxRetries: 0, onError: () => {}, ...extra,
});
const short = (prompt, extra = {}) => long({ model: provider()('scripted-model'), prompt, ...extra });

async function gather(result) {
	const seen = { text: '', reasoning: '', order: [], error: null, finish: null };

	for await (const part of result.fullStream) {
		if (seen.order.at(-1) !== part.type) seen.order.push(part.type);
		if (part.type === 'text-delta') seen.text += part.text;
		if (part.type === 'reasoning-delta') seen.reasoning += part.text;
		if (part.type === 'error') seen.error = String(part.error?.message ?? JSON.stringify(part.error));
		if (part.type === 'finish') Object.assign(seen, { finish: part.finishReason, usage: part.totalUsage });
	}
	return seen;
}

const describe = (error) => ({
	name: error.name, status: error.statusCode, retryable: error.isRetryable, code: error.data?.error?.code,
});

await tell({
	whole: async () => {
		const { text, reasoningText, finishReason, usage, providerMetadata, response } = await generateText(long());
		return {
			text, reasoning: reasoningText, finish: finishReason, usage, ours: providerMetadata.longhand,
			job: response.headers['x-longhand-job'],
		};
	},
	stream: async () => {
		const result = streamText(long());
		return { ...await gather(result), ours: (await result.providerMetadata).longhand };
	},
	options: async () => (await generateText(long({
		prompt: 'Tell me about tea.', providerOptions: { longhand: { longhand: { target_words: 1100 } } },
	}))).text,
	errors: async () => Promise.all(statuses.map(async (status) =>
		describe(await thrown(() => generateText(short(`Say status ${status}.`)))))),
	wrong: async () => describe(await thrown(() => generateText(long({
		providerOptions: { longhand: { longhand: { mode: 'fast' } } },
	})))),
	again: async () => (await generateText(short('Say 20 words.', { maxRetries: 1 }))).text,
	again_long: async () => gather(streamText(long({ maxRetries: 1 }))),
	broken: async () => gather(streamText(long())),
	abort: async () => {
		const abort = new AbortController();
		const result = streamText(short('Say 90 words.', { abortSignal: abort.signal }));

		for await (const piece of result.textStream) {
			if (piece) break;
		}
		abort.abort();
		return left();
	},
	patient_stream: async () =>
		gather(streamText(long({ model: provider({ fetch: impatient })('longhand') }))),
	patient_whole: async () =>
		({ text: (await generateText(long({ model: provider({ fetch: impatient })('longhand') }))).text }),
});

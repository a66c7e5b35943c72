// LangChain's ChatOpenAI; see story.mjs.
import { ChatOpenAI } from '@langchain/openai';
import { article, baseURL, impatient, left, statuses, tell, thrown } from './story.mjs';

const chat = (model, extra = {}, configuration = {}) => new ChatOpenAI({
	model, apiKey: 'sk-test', maxRetries: 0, configuration: { baseURL, ...configuration }, ...extra,
});

async function gather(stream) {
	let whole = null;

	for await (const chunk of await stream) whole = whole === null ? chunk : whole.concat(chunk);
	return describeAnswer(whole);
}

const describeAnswer = (answer) => ({
	text: answer.content, whole: answer.text, reasoning: answer.additional_kwargs.reasoning_content,
	finish: answer.response_metadata.finish_reason, usage: answer.usage_metadata,
	ours: answer.additional_kwargs.__raw_response?.longhand,
});
const describe = (error) => ({ status: error.status, code: error.code, param: error.param, name: error.constructor.name });

await tell({
	whole: async () =>
		describeAnswer(await chat('longhand', { __includeRawResponse: true }).invoke(article)),
	stream: async () => gather(chat('longhand').stream([['system', 'You write plainly.'], ['user', article]])),
	responses: async () => {
		const writer = chat('longhand', { useResponsesApi: true });
		const answer = await writer.invoke(article);
		const seen = await gather(writer.stream(article));
		const next = await writer.invoke([['user', article], answer, ['user', 'Say hello.']]);

		return { text: answer.text, streamed: seen.whole, next: next.text };
	},
	options: async () =>
		(await chat('longhand', { modelKwargs: { longhand: { target_words: 1100 } } }).invoke('Tell me about tea.')).content,
	errors: async () => Promise.all(statuses.map(async (status) =>
		describe(await thrown(() => chat('scripted-model').invoke(`Say status ${status}.`))))),
	wrong: async () =>
		describe(await thrown(() => chat('longhand', { modelKwargs: { longhand: { mode: 'fast' } } }).invoke(article))),
	again: async () => (await chat('scripted-model', { maxRetries: 1 }).invoke('Say 20 words.')).content,
	again_long: async () => gather(chat('longhand', { maxRetries: 1 }).stream(article)),
	broken: async () => gather(chat('longhand').stream(article)),
	abort: async () => {
		for await (const chunk of await chat('scripted-model').stream('Say 90 words.')) {
			if (chunk.content) break;
		}
		return left();
	},
	patient_stream: async () => gather(chat('longhand', {}, { fetch: impatient }).stream(article)),
	patient_whole: async () =>
		({ text: (await chat('longhand', {}, { fetch: impatient }).invoke(article)).content }),
});

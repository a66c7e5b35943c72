// openai-node's responses, told by its arguments what to do; prints one JSON object.
//   node responses.mjs BASE_URL STORY
import OpenAI from 'openai';
import { article as input, baseURL, tell } from './story.mjs';

const client = new OpenAI({ baseURL, apiKey: 'sk-test', maxRetries: 0, timeout: 60000 });
const wanted = { model: 'longhand', input };

async function gather(stream, isEnough = () => false) {
	const seen = { text: '', numbers: [], types: [], id: null, final: null };

	for await (const event of stream) {
		seen.numbers.push(event.sequence_number);
		seen.types.push(event.type);
		seen.id = event.response?.id ?? seen.id;
		if (event.type === 'response.output_text.delta') seen.text += event.delta;
		if (event.type === 'response.completed') seen.final = event.response.output.at(-1).content[0].text;
		if (isEnough(event)) break;
	}
	return seen;
}

const isText = (event) => event.type === 'response.output_text.delta';

await tell({
	whole: async () => {
		const response = await client.responses.create(wanted);
		const again = await client.responses.retrieve(response.id);

		return { text: response.output_text, again: again.output_text, response };
	},
	stream: async () => gather(await client.responses.create({ ...wanted, stream: true })),
	helper: async () => {
		const stream = client.responses.stream(wanted);
		const seen = await gather(stream);

		return { ...seen, final: (await stream.finalResponse()).output_text };
	},
	background: async () => {
		let response = await client.responses.create({ ...wanted, background: true });
		const first = response.status;

		while (response.status === 'in_progress') response = await client.responses.retrieve(response.id);
		return { first, status: response.status, text: response.output_text };
	},
	cut: async () => {
		const stream = await client.responses.create({ ...wanted, background: true, stream: true });
		const begun = await gather(stream, isText);
		const after = begun.numbers.at(-1);
		const rest = await gather(await client.responses.retrieve(begun.id, {
			stream: true, starting_after: after,
		}));
		const helper = client.responses.stream({ response_id: begun.id, starting_after: after });
		const helped = await gather(helper);

		return { begun, rest, helped, final: (await helper.finalResponse()).output_text };
	},
	ended: async () => {
		const { id } = await client.responses.create({ ...wanted, background: true });
		const cancelled = (await client.responses.cancel(id)).status;
		const items = (await client.responses.inputItems.list(id)).data.map((item) => item.content[0].text);

		await client.responses.delete(id);
		return { cancelled, items, gone: await client.responses.retrieve(id).catch((error) => error.status) };
	},
	translated: async () => gather(client.responses.stream({ model: 'longhand', input: 'Say hello.' })),
});

// What the clients' programs share: the prompts, a fetch that is soon impatient, and telling a story.
//   node CLIENT.mjs BASE_URL STORY
import { Agent, fetch as undiciFetch } from 'undici';

export const [baseURL, story] = process.argv.slice(2);
export const article = 'Write an article of 1,500 words about the history of tea.';
export const statuses = [400, 401, 404, 422, 429, 500];

// Node's own fetch waits 300 s for headers and between two pieces of a body: this one, half a second.
const dispatcher = new Agent({ headersTimeout: 500, bodyTimeout: 500 });
export const impatient = (url, init) => undiciFetch(url, { ...init, dispatcher });

// Told once a stream was left: the process stays alive, so that the socket is closed by the client.
export function left() {
	console.log('{"left":true}');
	process.stdin.resume();
	return null;
}

// What `attempt` threw.
export async function thrown(attempt) {
	try {
		await attempt();
	} catch (error) {
		return error;
	}
	throw new Error('nothing was thrown');
}

export async function tell(stories) {
	try {
		const value = await stories[story]();
		if (value !== null) console.log(JSON.stringify({ value }));
	} catch (error) {
		console.log(JSON.stringify({
			error: { name: error.name, message: error.message, cause: String(error.cause ?? '') },
		}));
	}
}

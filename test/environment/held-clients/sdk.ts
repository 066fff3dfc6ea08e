/** A program of one call with an official TypeScript SDK, over the fetch that Node has and with its retries. */
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import { type Asked, askedOf, type Told, tell } from './told.ts';

type Client = {
  messages: {
    create(params: object): Promise<Told['message']>;
    stream(params: object): { finalMessage(): Promise<Told['message']> };
  };
};

/** SDK 0.x speaks the old dialect and sends the token as `x-api-key`, 1.x the new one with a bearer token. */
function clientOf(asked: Asked, countedFetch: typeof fetch): Client {
  const options = { baseURL: asked.baseUrl, apiKey: asked.token, fetch: countedFetch as never };
  const client = asked.variant === '0' ? new Anthropic0({ ...options, authToken: null }) : new Anthropic(options);
  return client as unknown as Client;
}

async function call(asked: Asked): Promise<Told> {
  let attempts = 0;
  const { messages } = clientOf(asked, (input, init) => {
    attempts += 1;
    return fetch(input, init);
  });
  const params = { model: 'claude-opus-5-5', max_tokens: 64, messages: [{ role: 'user', content: asked.prompt }] };
  try {
    const message = await (asked.streams ? messages.stream(params).finalMessage() : messages.create(params));
    return { attempts, message, error: null };
  } catch (error) {
    return { attempts, message: null, error: String(error) };
  }
}

tell(await call(askedOf(process.env)));

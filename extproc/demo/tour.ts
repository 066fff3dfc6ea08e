import { readFileSync } from 'node:fs';
import Anthropic from '@anthropic-ai/sdk';
import { Agent, fetch as undiciFetch } from 'undici';

/** One exchange of the tour: what it shows, and the id under which it was recorded. */
export type TourStop = { title: string; exchangeId: string; expected: 'allow' | 'deny' };

export type TourOptions = {
  url: string;
  caFile: string;
  token: (subject: string) => Promise<string>;
  /** The fake Claude takes stage directions in the prompt; the real one must not see them. */
  isFake: boolean;
};

export const model = 'claude-opus-5-5';

/** A value shaped like a key, planted to show that the readable copy does not hold it. Put together, so that no scanner of this source takes it for a leak. */
export const plantedSecret = ['sk-ant-', 'api03-', 'q7Zt2LmV9xKc4RbN8wYp3HsD6fGj1TuE', '5oA0iXyWvBnM'].join('');

/** Sends the four exchanges of the README's tour through the gateway with the official SDK. */
export async function takeTour(options: TourOptions): Promise<TourStop[]> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(options.caFile) } });
  const client = (authToken: string) =>
    new Anthropic({
      baseURL: options.url,
      authToken,
      apiKey: null,
      maxRetries: 0,
      fetch: (input, init) =>
        undiciFetch(input as string, { ...init, dispatcher } as never) as unknown as Promise<Response>,
    });
  try {
    const alice = client(await options.token('alice'));
    const bob = client(await options.token('bob'));
    return [await plain(alice), await streamedToolUse(alice, options.isFake), await denied(bob), await withSecret(bob)];
  } finally {
    await dispatcher.close();
  }
}

async function plain(client: Anthropic): Promise<TourStop> {
  const { response } = await client.messages
    .create({ model, max_tokens: 300, messages: [{ role: 'user', content: 'Which three rivers meet in Passau?' }] })
    .withResponse();
  return { title: 'Allowed: a plain question', exchangeId: exchangeId(response.headers), expected: 'allow' };
}

async function streamedToolUse(client: Anthropic, isFake: boolean): Promise<TourStop> {
  const stream = client.messages.stream({
    model,
    max_tokens: 1000,
    tools: [
      {
        name: 'lookup_customer',
        description: 'Finds a customer by number.',
        input_schema: { type: 'object', properties: { number: { type: 'string' } }, required: ['number'] },
      },
    ],
    messages: [{ role: 'user', content: `Look up customer 4711.${isFake ? ' [fake: tool_use lookup_customer]' : ''}` }],
  });
  const { response } = await stream.withResponse();
  await stream.finalMessage();
  return { title: 'Allowed: streamed, with a tool use', exchangeId: exchangeId(response.headers), expected: 'allow' };
}

async function denied(client: Anthropic): Promise<TourStop> {
  const question = {
    model: 'claude-mythos-1',
    max_tokens: 300,
    messages: [{ role: 'user' as const, content: 'Hello?' }],
  };
  try {
    await client.messages.create(question);
  } catch (error) {
    if (error instanceof Anthropic.PermissionDeniedError) {
      return { title: 'Denied: a model of the deny list', exchangeId: exchangeId(error.headers), expected: 'deny' };
    }
    throw error;
  }
  throw new Error('the request that policy denies was answered');
}

async function withSecret(client: Anthropic): Promise<TourStop> {
  const content = `Why does this fail? curl -H "x-api-key: ${plantedSecret}" and mail jane.doe@example.com`;
  const { response } = await client.messages
    .create({ model, max_tokens: 300, messages: [{ role: 'user', content }] })
    .withResponse();
  return {
    title: 'Allowed: with a secret, masked in what can be read',
    exchangeId: exchangeId(response.headers),
    expected: 'allow',
  };
}

function exchangeId(headers: Headers | undefined): string {
  const id = headers?.get('x-skilltape-exchange');
  if (!id) throw new Error('the answer carries no x-skilltape-exchange header');
  return id;
}

/** A fake for one test, with the two lines of the SDK that are in the field and speak the two dialects. */
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import { type FakeClaude, type FakeClaudeOptions, startFakeClaude } from '../claude.ts';

export type NamedClient = { readonly name: string; readonly client: Anthropic };

export async function withFake(
  options: Partial<FakeClaudeOptions>,
  use: (fake: FakeClaude, clients: readonly NamedClient[]) => Promise<void>,
): Promise<void> {
  const fake = await startFakeClaude({ listen: { host: '127.0.0.1', port: 0 }, ...options });
  const clientOptions = { baseURL: fake.url, apiKey: 'sk-ant-api03-test', maxRetries: 0 };
  try {
    await use(fake, [
      { name: 'sdk 1', client: new Anthropic(clientOptions) },
      { name: 'sdk 0', client: new Anthropic0(clientOptions) as unknown as Anthropic },
    ]);
  } finally {
    await fake.close();
  }
}

export function ask(text: string) {
  return { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user' as const, content: text }] };
}

/** Without what differs from request to request, numbers in ids and signatures, and without what helpers of the SDK add. */
export function withoutNumbers(value: unknown): unknown {
  const text = JSON.stringify(value, (key, part) => (key === 'parsed_output' ? undefined : part));
  // "fake signature" in base64, before the number.
  return JSON.parse(text.replace(/Fake[0-9]{16,}/g, 'Fake').replace(/"ZmFrZSBzaWduYXR1cm[^"]*"/g, '"signature"'));
}

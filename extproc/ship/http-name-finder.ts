/** A model that finds names, asked over HTTP. */
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import { type FoundName, type NameFinder, nameTypes } from './name-finder.ts';

export type NameFinderOptions = {
  url: string;
  /** For all questions about one document. */
  timeoutMs: number;
  /** Characters of text in one question. */
  requestMaxChars: number;
};

const answerMaxBytes = 1024 * 1024;
/** In one answer. */
const namesMax = 10_000;
const nameMaxChars = 200;
/** What two questions about one long text have in common, so that no name is cut in two. */
const overlapChars = 256;

const answer = z.object({
  names: z.array(z.object({ value: z.string().min(1).max(nameMaxChars), type: z.enum(nameTypes) })).max(namesMax),
});

/**
 * Posts `{"texts": [...]}` and takes `{"names": [{"value", "type"}]}`. Whatever else is answered, and a value that stands
 * in none of the texts, rejects with `masking_failed`; its message holds nothing of the texts.
 */
export function httpNameFinder({ url, timeoutMs, requestMaxChars }: NameFinderOptions): NameFinder {
  return {
    async find(texts) {
      const signal = AbortSignal.timeout(timeoutMs);
      const found: FoundName[] = [];
      for (const asked of questionsOf(texts, requestMaxChars)) found.push(...(await ask(url, asked, signal)));
      return found;
    },
  };
}

/** The texts in questions of bounded size. */
export function* questionsOf(texts: readonly string[], maxChars: number): Generator<string[]> {
  let asked: string[] = [];
  let room = maxChars;
  for (const piece of texts.flatMap((text) => piecesOf(text, maxChars))) {
    if (piece.length > room) {
      yield asked;
      asked = [];
      room = maxChars;
    }
    asked.push(piece);
    room -= piece.length;
  }
  if (asked.length > 0) yield asked;
}

function piecesOf(text: string, maxChars: number): string[] {
  const pieces: string[] = [];
  const step = Math.max(1, maxChars - overlapChars);
  for (let at = 0; at === 0 || at + overlapChars < text.length; at += step) pieces.push(text.slice(at, at + maxChars));
  return pieces;
}

async function ask(url: string, texts: readonly string[], signal: AbortSignal): Promise<readonly FoundName[]> {
  const { names } = readAnswer(await answerOf(url, texts, signal));
  for (const { value } of names) {
    if (!/[\p{L}\p{N}]/u.test(value)) throw failed('it named something without a letter');
    if (!texts.some((text) => text.includes(value))) throw failed('it named something that was not asked about');
  }
  return names;
}

async function answerOf(url: string, texts: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ texts: texts.map((text) => text.toWellFormed()) }),
      redirect: 'error',
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw failed(`it answered with status ${response.status}`);
    }
    return await bodyOf(response);
  } catch (thrown) {
    if (thrown instanceof SkilltapeError) throw thrown;
    throw failed(signal.aborted ? 'it took too long (masking.names.timeoutMs)' : 'it could not be reached');
  }
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > answerMaxBytes) throw failed(`its answer is larger than ${answerMaxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer(text: string): z.infer<typeof answer> {
  try {
    return answer.parse(JSON.parse(text));
  } catch {
    throw failed('its answer is not {"names": [{"value", "type"}]}');
  }
}

function failed(why: string): SkilltapeError {
  return new SkilltapeError('masking_failed', `the finder of names failed: ${why}`);
}

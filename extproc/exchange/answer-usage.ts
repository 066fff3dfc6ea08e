import { Buffer } from 'node:buffer';
import type { JsonObject } from '../claude/json.ts';
import { isJsonObject, parseBoundedJson } from '../claude/json.ts';
import { mediaTypeOf } from '../claude/media-type.ts';
import type { Usage } from '../claude/usage.ts';
import { usageOf } from '../claude/usage.ts';
import { decodeAnswer } from '../encoding/answer.ts';

/** What is kept of an answer that is not encoded: `message_start` comes first, the usage last. */
const headBytes = 4 * 1024;
const tailBytes = 12 * 1024;
/** An encoded answer is kept whole up to this size. */
const codedBytes = 64 * 1024;
const decodedBodyMaxBytes = 1024 * 1024;
/** A token of a stream comes in an event of about so many bytes, and one of JSON in so many. */
const bytesPerToken = { stream: 32, json: 4 };

/** `billed` has them by their prices; `estimated` where the answer did not say how much was used. */
export type AnswerUsageCounts = {
  inputTokens: number;
  outputTokens: number;
  billed: {
    model: string;
    serviceTier: string;
    uncachedInput: number;
    cacheRead: number;
    cacheCreation5m: number;
    cacheCreation1h: number;
    output: number;
    webSearchRequests: number;
  };
  estimated: boolean;
};

type Form = { status: number; contentType: string; contentEncoding: string };

/**
 * Reads how many tokens an answer took, on the hot path: it keeps the beginning and the end of the answer alone. The
 * sealed record has the whole, and whoever counts from it has the exact figures.
 */
export class AnswerUsage {
  readonly #form: Form;
  readonly #isCoded: boolean;
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #bytes = 0;

  constructor(form: Form) {
    this.#form = form;
    const coding = form.contentEncoding.trim().toLowerCase();
    this.#isCoded = coding !== '' && coding !== 'identity';
  }

  take(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    const headMax = this.#isCoded ? codedBytes : headBytes;
    const inHead = Math.max(0, Math.min(chunk.length, headMax - this.#head.length));
    if (inHead > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, inHead)]);
    if (this.#isCoded || inHead === chunk.length) return;
    this.#tail.push(Buffer.from(chunk.subarray(Math.max(inHead, chunk.length - tailBytes))));
    this.#tailBytes += this.#tail.at(-1)?.length ?? 0;
    // Joined now and then: many small chunks must not cost as many copies.
    if (this.#tailBytes > 2 * tailBytes) this.#joinTail();
  }

  /** `requestTextBytes` is what an estimate of the input goes by. An answer with an error status used nothing. */
  read(requestTextBytes: number): AnswerUsageCounts | null {
    const { status, contentType } = this.#form;
    if (status < 200 || status > 299) return null;
    const isStream = mediaTypeOf(contentType) === 'text/event-stream';
    const message = isStream ? streamedMessage(this.#text()) : wholeMessage(this.#text());
    const usage = usageOf(message);
    const perToken = isStream ? bytesPerToken.stream : bytesPerToken.json;
    const isWhole = message?.isWhole === true && usage.inputTokens !== null && usage.outputTokens !== null;
    const outputTokens = isWhole ? usage.outputTokens : Math.ceil(this.#bytes / perToken);
    const inputTokens = usage.inputTokens ?? Math.ceil(requestTextBytes / bytesPerToken.json);
    const model = typeof message?.model === 'string' ? message.model : '';
    return {
      inputTokens,
      outputTokens: outputTokens ?? 0,
      billed: billedFor(model, usage, { inputTokens, outputTokens: outputTokens ?? 0 }),
      estimated: !isWhole,
    };
  }

  #joinTail(): void {
    const joined = Buffer.concat(this.#tail);
    this.#tail = [joined.subarray(Math.max(0, joined.length - tailBytes))];
    this.#tailBytes = this.#tail[0]?.length ?? 0;
  }

  /** Head and tail as lines of their own: where something was left out between them, no event spans it. */
  #text(): string {
    if (this.#isCoded) {
      const limits = { decodedBodyMaxBytes, decodedRatioMax: Number.POSITIVE_INFINITY };
      const decoded =
        this.#head.length < this.#bytes ? null : decodeAnswer(this.#head, this.#form.contentEncoding, limits);
      return decoded?.decoded === true ? Buffer.from(decoded.bytes).toString() : '';
    }
    this.#joinTail();
    const isGap = this.#head.length + this.#tailBytes < this.#bytes;
    return `${this.#head.toString()}${isGap ? '\n\n' : ''}${Buffer.concat(this.#tail).toString()}`;
  }
}

function billedFor(
  model: string,
  usage: Usage,
  { inputTokens, outputTokens }: Pick<AnswerUsageCounts, 'inputTokens' | 'outputTokens'>,
): AnswerUsageCounts['billed'] {
  const cacheRead = usage.cacheReadTokens ?? 0;
  const creation = usage.cacheCreationTokens ?? 0;
  const cacheCreation1h = usage.cacheCreation1hTokens ?? 0;
  return {
    model,
    serviceTier: usage.serviceTier,
    uncachedInput: Math.max(0, inputTokens - cacheRead - creation),
    cacheRead,
    // What the answer does not split lives 5 minutes: the API's own default.
    cacheCreation5m: Math.max(usage.cacheCreation5mTokens ?? 0, creation - cacheCreation1h),
    cacheCreation1h,
    output: outputTokens,
    webSearchRequests: usage.webSearchRequests ?? 0,
  };
}

/** The totals of `message_start`, with those of the last `message_delta` in their place. */
function streamedMessage(text: string): JsonObject | null {
  let message: JsonObject | null = null;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (!/^data: ?\{"type": ?"message_(?:start|delta)"/.test(line)) continue;
    const data = parseBoundedJson(line.slice('data:'.length));
    if (!isJsonObject(data)) continue;
    if (data.type === 'message_start' && isJsonObject(data.message)) message = { ...data.message, isWhole: false };
    if (data.type === 'message_delta' && message !== null && isJsonObject(data.usage)) {
      const before: JsonObject = isJsonObject(message.usage) ? message.usage : {};
      const said = Object.entries(data.usage).filter(([, value]) => value !== null);
      message = { ...message, isWhole: true, usage: { ...before, ...Object.fromEntries(said) } };
    }
  }
  return message;
}

/** The API writes `usage` behind the content; what the model wrote before it cannot come after it. */
function wholeMessage(text: string): JsonObject | null {
  const parsed = parseBoundedJson(text);
  if (isJsonObject(parsed)) return { ...parsed, isWhole: isJsonObject(parsed.usage) };
  const at = text.lastIndexOf('"usage":');
  if (at < 0) return null;
  const usage = parseBoundedJson(text.slice(at + '"usage":'.length).replace(/\}\s*$/, ''));
  const [, model = ''] = /"model": ?"([^"\\]{1,200})"/.exec(text) ?? [];
  return isJsonObject(usage) ? { model, usage, isWhole: true } : null;
}

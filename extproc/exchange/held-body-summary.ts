/** What is told of the body of a held request: which body it is, and what of it a person is shown. */
import { createHash } from 'node:crypto';
import { withoutCacheControl } from '../claude/cache-control.ts';
import { isJsonObject, type JsonValue, parseBoundedJson } from '../claude/json.ts';
import type { Masked } from '../masking/masked.ts';
import type { TicketSummary } from './approval-desk.ts';
import type { BodyPlace } from './body.ts';
import { decodedBody } from './decoded-body.ts';
import { batchedIn, messageCount, newestPrompt } from './newest-prompt.ts';

/** Makes a readable form of what is told; the text of `excerpt` may be long, and comes out short. */
export type SummaryMask = (summary: TicketSummary) => Masked<TicketSummary>;

export type HeldBodyPlace = BodyPlace & {
  summary: Omit<TicketSummary, 'excerpt' | 'leftOut'>;
  /** Given where the body is read: the masker is large, and only there. */
  mask?: SummaryMask;
};

/** `contentHash`: SHA-256 of the body as judged, decoded and without the marks for caching that clients move about. */
export type HeldBodySummary = { contentHash: string; summary: Masked<TicketSummary> };

/** Of a longer prompt only so much is looked at, from both ends. */
const lookedAtMaxChars = 200_000;

/** Throws when no mask is given: nothing is told then. */
export function heldBodySummary(place: HeldBodyPlace, received: Uint8Array): HeldBodySummary {
  const { summary, mask } = place;
  if (mask === undefined) throw new Error('a held body is summed up where there is a mask');
  const body = decodedBody(place, received);
  if (!body.ok) throw new Error('a held body was judged, so it can be decoded');
  const isJson = place.bodyForm === 'messages' || place.bodyForm === 'completion' || place.bodyForm === 'batch';
  const text = isJson || place.bodyForm === 'json' ? Buffer.from(body.bytes).toString('utf8') : null;
  const hash = createHash('sha256');
  if (text === null || !isJson) hash.update(body.bytes);
  else for (const piece of withoutCacheControl(text)) hash.update(piece);
  const told = text === null ? nothingTold(body.bytes.length) : excerptOf(parseBoundedJson(text) ?? null, place);
  return { contentHash: hash.digest('hex'), summary: mask({ ...summary, ...told }) };
}

type Told = Pick<TicketSummary, 'excerpt' | 'leftOut'>;

function nothingTold(bytes: number): Told {
  return { excerpt: '', leftOut: { chars: 0, messages: 0, bytes } };
}

/** The newest prompt of a request, or of the first one of a batch; the others are counted. */
function excerptOf(value: JsonValue, { bodyForm }: Pick<BodyPlace, 'bodyForm'>): Told {
  const request = isJsonObject(value) ? value : {};
  // What a body has beside its own form must not be shown in its place.
  const all = bodyForm === 'batch' ? [...batchedIn(request), request] : [request, ...batchedIn(request)];
  const [first = {}, ...others] = all;
  const { text: prompt, older: at } = newestPrompt(first);
  const shown = bothEnds(prompt);
  const older = others.reduce((sum, other) => sum + messageCount(other), at);
  return { excerpt: shown, leftOut: { chars: prompt.length - shown.length, messages: older, bytes: 0 } };
}

function bothEnds(text: string): string {
  if (text.length <= lookedAtMaxChars) return text;
  return `${text.slice(0, lookedAtMaxChars / 2)}\n${text.slice(-lookedAtMaxChars / 2)}`;
}

/** One request on its way to its handler, and what handlers read from it. */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-error.ts';
import { InvalidRequest } from './messages-request.ts';
import { jsonReply, type Reply } from './reply.ts';
import { decode, type ReceivedBody } from './request-body.ts';
import type { Resources } from './resources.ts';

/** Ids of one exchange: `serial` counts the requests, so the same run gives the same ids. */
export type ExchangeIds = { readonly requestId: string; readonly serial: string };

export type Call = {
  readonly headers: IncomingHttpHeaders;
  readonly body: ReceivedBody;
  /** The parts of the path that its route leaves open, by name. */
  readonly params: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  /** Values of `anthropic-beta`. */
  readonly betas: ReadonlySet<string>;
  /** Asked for a beta resource: by such a header, or by `?beta=true` (the older dialect). */
  readonly isBeta: boolean;
  readonly ids: ExchangeIds;
  readonly resources: Resources;
};

const DEPTH_MAX = 2_000;

export type Handler = (call: Call) => Reply | Promise<Reply>;

export function param(call: Call, name: string): string {
  return call.params.get(name) ?? '';
}

/** `ids[]=…` or `ids=…`, once or several times; undefined when the query has none. */
export function queryList(call: Call, name: string): string[] | undefined {
  const values = [...call.query.getAll(`${name}[]`), ...call.query.getAll(name)];
  return values.length === 0 ? undefined : values;
}

/** The decoded body. Throws for one too large to hold. */
export async function wholeBody(call: Call): Promise<Buffer> {
  if (call.body.whole === undefined)
    throw new ApiError(413, `The fake takes no body of ${call.body.bytes} bytes here.`);
  return decode(call.body.whole, call.headers['content-encoding']);
}

/** The decoded body as JSON; an empty one is `{}`. */
export async function jsonBody(call: Call): Promise<unknown> {
  const body = await wholeBody(call);
  const value = body.length === 0 ? {} : parse(body.toString('utf8'));
  if (isDeep(value)) throw new InvalidRequest(`The request body is nested deeper than ${DEPTH_MAX} levels.`);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidRequest(`The request body is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** Level by level: what comes back out is written by a recursive `JSON.stringify`, which this must not overflow. */
function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH_MAX) return true;
    const inside: unknown[] = [];
    for (const each of level)
      if (typeof each === 'object' && each !== null) for (const child of Object.values(each)) inside.push(child);
    level = inside;
  }
  return false;
}

export function ok(value: unknown): Reply {
  return jsonReply(200, JSON.stringify(value));
}

/** Calls through the gateway with the official SDKs, and what the index has of them afterwards. */
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import type { SearchQuery, UsageRow } from '../../extproc/index/port.ts';
import { SqliteSearch } from '../../extproc/index/sqlite/search.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import type { TestGateway } from './gateway.ts';
import { wholeIndex } from './whole-index.ts';

export type SdkOptions = { headers?: Record<string, string> };

/** One person's calls, in the order in which they were made. */
export type Caller = {
  /** SDK 1.x. */
  readonly client: Anthropic;
  /** SDK 0.x, which speaks the old dialect. */
  readonly old: Anthropic;
  /** Ids of the exchanges so far; waits for the next answer's headers to know them. */
  readonly exchangeIds: readonly string[];
  /** The exchanges' own documents, in the order of the calls, once all of them are in the index. */
  documents(): Promise<ExchangeDocument[]>;
};

export async function callerOf(gateway: TestGateway, subject = 'alice', options: SdkOptions = {}): Promise<Caller> {
  const exchangeIds: string[] = [];
  const fetchAndNote = async (input: unknown, init: unknown) => {
    // The fake names itself in `results_url`; what the gateway makes of such links has tests of its own.
    const url = String(input).replace(gateway.fake.url, gateway.url);
    const response = await gateway.fetch(url, (await withFormAsBytes(init as RequestInit)) as never);
    exchangeIds.push(response.headers.get('x-skilltape-exchange') ?? '');
    return response;
  };
  const token = await gateway.token(subject);
  const usual = { baseURL: gateway.url, maxRetries: 0, fetch: Object.assign(fetchAndNote, { Response }) as never };
  const more = options.headers === undefined ? {} : { defaultHeaders: options.headers };
  return {
    client: new Anthropic({ ...usual, ...more, apiKey: token }),
    old: new Anthropic0({ ...usual, ...more, apiKey: token, authToken: null }) as unknown as Anthropic,
    exchangeIds,
    documents: () => Promise.all(exchangeIds.map((id) => gateway.document(id))),
  };
}

/** undici's fetch does not know the forms of this runtime. */
async function withFormAsBytes(init: RequestInit): Promise<RequestInit> {
  if (!(init.body instanceof FormData)) return init;
  const form = new Response(init.body);
  const headers = new Headers(init.headers);
  headers.set('content-type', form.headers.get('content-type') ?? '');
  return { ...init, headers, body: Buffer.from(await form.arrayBuffer()) };
}

/** Ids of the documents that the query finds, newest first; by default without noise, as a person would search. */
export async function found(gateway: TestGateway, text: string, query: SearchQuery = {}): Promise<string[]> {
  const index = SqliteSearch.open(gateway.dataDirectory);
  try {
    const { hits } = await index.search({ limit: 1_000, ...query, text: `"${text}"` });
    return hits.map(({ id }) => id);
  } finally {
    index.close();
  }
}

/** The documents of one exchange beside its own: the entries of a batch, in their order. */
export async function entriesOf(gateway: TestGateway, exchangeId: string): Promise<ExchangeDocument[]> {
  const index = SqliteSearch.open(gateway.dataDirectory);
  try {
    const ids = [...(await wholeIndex(gateway.dataDirectory)).keys()].filter((id) => id.startsWith(`${exchangeId}.`));
    const documents = await Promise.all(ids.map((id) => index.get(id)));
    return documents.flatMap((document) => (document === null ? [] : [document as ExchangeDocument])).sort(byNumber);
  } finally {
    index.close();
  }
}

export async function usageOf(gateway: TestGateway, session: string): Promise<UsageRow[]> {
  const index = SqliteSearch.open(gateway.dataDirectory);
  try {
    return (await index.usage({ by: ['session'] })).filter(({ group }) => group[0] === session);
  } finally {
    index.close();
  }
}

function byNumber(a: ExchangeDocument, b: ExchangeDocument): number {
  return Number(a.event.id.split('.')[1]) - Number(b.event.id.split('.')[1]);
}

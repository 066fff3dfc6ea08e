import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ticketsFile } from '../../extproc/approvals/places.ts';
import { type Ticket, Tickets } from '../../extproc/approvals/tickets.ts';
import { approval } from '../builders/approval.ts';
import { startTestGateway, type TestGateway } from './gateway.ts';
import { waitUntil } from './wait.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));
/** Whoever sends a mail address is held. */
const rules = [{ when: {}, effect: 'hold', types: ['EMAIL'], places: ['messages'] }];

export type HeldStreams = AsyncDisposable & {
  gateway: TestGateway;
  tickets: Tickets;
  /** Of the requests with that text in their prompt. */
  ticketsOf(marker: string): Ticket[];
  /** The one ticket of the requests with that text, once it is there. */
  ticketOf(marker: string, timeoutMs?: number): Promise<string>;
  approve(ticket: string): void;
  /** POST /v1/messages; resolves with the head of the answer. */
  begin(body: string, options?: { subject?: string; signal?: AbortSignal }): Promise<Response>;
  /** Bodies with that text that arrived at Claude. */
  arrivals(marker: string): string[];
};

type Options = Omit<NonNullable<Parameters<typeof startTestGateway>[0]>, 'prepare' | 'settings'> & {
  approvals?: Record<string, unknown>;
  streamed?: Record<string, unknown>;
  settings?: Record<string, unknown>;
  /** Of what an approval takes (policies/lists/approval). */
  terms?: Record<string, unknown>;
};

/** A gateway that holds, and begins the answers to held streams; comments come five times a second. */
export async function startHeldStreams(options: Options = {}): Promise<HeldStreams> {
  const { approvals, streamed, settings, terms, ...rest } = options;
  const gateway = await startTestGateway({
    keepBodies: true,
    ...rest,
    settings: {
      policies: { directory: 'policies' },
      approvals: { streamed: { releaseSocket: 'release.sock', commentIntervalMs: 200, ...streamed }, ...approvals },
      connections: { claude: { streamHolds: true }, sandbox: { streamHolds: true } },
      ...settings,
    },
    prepare(directory) {
      holdMailAddresses(directory);
      if (terms !== undefined) changeTerms(join(directory, 'policies/lists/approval/data.json'), terms);
    },
  });
  const tickets = new Tickets(ticketsFile(gateway.dataDirectory));
  const ticketsOf = (marker: string) =>
    tickets.list('all', 10_000, Date.now()).filter(({ summary }) => summary.excerpt.includes(marker));
  return {
    ...{ gateway, tickets, ticketsOf },
    async ticketOf(marker, timeoutMs) {
      const found = await waitUntil(`a ticket for ${marker}`, () => ticketsOf(marker)[0], timeoutMs);
      return found.ticket;
    },
    approve(ticket) {
      const { kind } = tickets.decide(ticket, approval(), Date.now());
      if (kind !== 'recorded') throw new Error(`the approval was not recorded: ${kind}`);
    },
    async begin(body, { subject = 'alice', signal } = {}) {
      const authorization = `Bearer ${await gateway.token(subject)}`;
      const headers = { authorization, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
      const init = { method: 'POST', body, headers, signal };
      return (await gateway.fetch(`${gateway.url}/v1/messages`, init as never)) as Response;
    },
    arrivals: (marker) => gateway.fake.requests.map(({ body }) => String(body)).filter((body) => body.includes(marker)),
    async [Symbol.asyncDispose]() {
      tickets.close();
      await gateway.stop();
    },
  };
}

/** Puts the shipped policies below `policies/`, with a rule that holds whoever sends a mail address. */
export function holdMailAddresses(directory: string): void {
  cpSync(shipped, join(directory, 'policies'), { recursive: true });
  writeFileSync(join(directory, 'policies/lists/findings/data.json'), JSON.stringify({ rules }));
}

function changeTerms(file: string, terms: Record<string, unknown>): void {
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...terms }));
}

/** A streaming request that is held for what stands in it. */
export function heldQuestion(text: string, more: Record<string, unknown> = {}): string {
  const messages = [{ role: 'user', content: `${text}: write to ada@example.com` }];
  return JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 64, stream: true, messages, ...more });
}

/** What came of a stream until it ended or broke. */
export async function readAll(response: Response): Promise<{ text: string; isWhole: boolean }> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
    return { text, isWhole: true };
  } catch {
    return { text, isWhole: false };
  }
}

/** The lines of Envoy's access log with that in them. */
export function logLines({ accessLogFile }: TestGateway, text: string): Record<string, unknown>[] {
  const lines = readFileSync(accessLogFile, 'utf8').split('\n');
  return lines.filter((line) => line.includes(text)).map((line) => JSON.parse(line) as Record<string, unknown>);
}

import { setTimeout as pause } from 'node:timers/promises';
import { denial } from '../builders/approval.ts';
import { clientStartMaxMs, type Ended, type HeldClient, heldClients } from '../environment/held-clients/clients.ts';
import { type Seen, seenOf } from '../environment/held-clients/seen.ts';
import { type HeldStreams, startHeldStreams } from '../environment/held-streams.ts';
import type { Torture, TortureOptions, TortureReport } from './torture.ts';

/** One prompt of one client, what happens to it, and what its user and the record must have in the end. */
type Walk = {
  client: HeldClient;
  connection: string;
  what: string;
  decide?: (held: HeldStreams, ticket: string) => void;
  /** From when its ticket is there. */
  afterSeconds: number;
  expected: Seen;
  says: RegExp;
};

type Stand = { usual: HeldStreams; hasty: HeldStreams; curt: HeldStreams };

/** Its answer begins with comments on one of them, and with the upstream on the other. */
const streaming = 'claude';
const silent = 'sandbox';
const answered = /I am only a fake, but I am glad to help\.$/;
const waitsStill = /This request waits for an approval \(ticket t-/;

/** Attempts that are told to come again, and the last one. */
const attempts = (told: number, last: string) => [...Array(told).fill('held'), last];

/** With the times of the product: a silent hold of four minutes, tickets that are open for an hour. */
function usualWalks(clients: readonly HeldClient[]): Walk[] {
  return clients.flatMap((client) =>
    waysOf(client).flatMap((connection): Walk[] => {
      const approved = (afterSeconds: number, outcomes: string[]): Walk => ({
        ...{ client, connection, what: `approved after ${afterSeconds} s`, afterSeconds },
        decide: (held, ticket) => held.approve(ticket),
        expected: { tickets: 1, outcomes, arrivals: 1 },
        says: answered,
      });
      return [
        // A silent one is told to come again after four minutes.
        approved(400, connection === silent ? attempts(1, 'complete') : ['complete']),
        approved(70, ['complete']),
        approved(5, ['complete']),
        {
          ...{ client, connection, what: 'denied', afterSeconds: 5 },
          decide: (held, ticket) => void held.tickets.decide(ticket, denial(), Date.now()),
          expected: { tickets: 1, outcomes: ['denied'], arrivals: 0 },
          says: /Denied by a person: not with production keys \(ticket t-/,
        },
      ];
    }),
  );
}

/** Tickets are open for a minute, and nobody looks. */
function hastyWalks(clients: readonly HeldClient[]): Walk[] {
  return clients.flatMap((client) =>
    waysOf(client).map((connection) => ({
      ...{ client, connection, what: 'expired', afterSeconds: 0 },
      expected: { tickets: 1, outcomes: ['expired'], arrivals: 0 },
      says: /Nobody decided about this request in time \(ticket t-/,
    })),
  );
}

/** A silent hold of a second: whoever is told to come again does so until it has had enough. */
function curtWalks(clients: readonly HeldClient[]): Walk[] {
  return clients.map((client) => ({
    ...{ client, connection: silent, what: 'undecided until its client gives up', afterSeconds: 0 },
    expected: { tickets: 1, outcomes: attempts(client.retries, 'held'), arrivals: 0 },
    says: waitsStill,
  }));
}

function waysOf({ streams }: HeldClient): string[] {
  return streams ? [streaming, silent] : [silent];
}

let prompts = 0;

async function walk(held: HeldStreams, { client, connection, what, ...how }: Walk): Promise<string[]> {
  prompts += 1;
  const marker = `walk${prompts}x`;
  const about = `${client.name}, ${connection === streaming ? 'streamed' : 'silent'}, ${what}`;
  const begunMs = performance.now();
  const ended = client.ask(held.gateway, connection, `${marker} ada@example.com`);
  const ticket = await held.ticketOf(marker, clientStartMaxMs);
  await pause(how.afterSeconds * 1_000);
  const faults = how.decide !== undefined && held.arrivals(marker).length > 0 ? ['it arrived before the decision'] : [];
  how.decide?.(held, ticket);
  faults.push(...differences(await ended, await seenOf(held, marker), how));
  const seconds = Math.round((performance.now() - begunMs) / 1_000);
  return faults.map((fault) => `${about}, after ${seconds} s: ${fault}`);
}

function differences(
  { attempts: told, answer, error }: Ended,
  seen: Seen,
  { expected, says }: Pick<Walk, 'expected' | 'says'>,
) {
  const faults: string[] = [];
  const text = answer ?? error ?? '';
  if (!says.test(text) || (says === answered) !== (answer !== null)) faults.push(`its user has ${text}`);
  if (JSON.stringify(seen) !== JSON.stringify(expected)) faults.push(`there are ${JSON.stringify(seen)}`);
  if (told !== null && told !== expected.outcomes.length) faults.push(`it sent ${told} requests`);
  return faults;
}

async function startStand(): Promise<Stand & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const connections = { claude: { streamHolds: true }, sandbox: {} };
  const begin = async (more: Parameters<typeof startHeldStreams>[0]) =>
    started.use(
      await startHeldStreams({ settings: { connections }, streamed: { commentIntervalMs: 12_000 }, ...more }),
    );
  const usual = await begin({});
  const hasty = await begin({ terms: { open_minutes: 1 } });
  const curt = await begin({ approvals: { holdMaxMs: 1_000 } });
  const all = started.move();
  return { usual, hasty, curt, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The long ones first; clients begin one after another, because a program's start is work for the machine. */
async function round(stand: Stand, clients: readonly HeldClient[], progress: TortureOptions['progress']) {
  const walks = [
    ...curtWalks(clients).map((one) => [stand.curt, one] as const),
    ...usualWalks(clients)
      .toSorted((a, b) => b.afterSeconds - a.afterSeconds)
      .map((one) => [stand.usual, one] as const),
    ...hastyWalks(clients).map((one) => [stand.hasty, one] as const),
  ];
  let over = 0;
  const running: Promise<string[]>[] = [];
  for (const [held, one] of walks) {
    running.push(
      walk(held, one)
        .catch((thrown: unknown) => [`${one.client.name}, ${one.what}: ${String(thrown)}`])
        .then((faults) => {
          over += 1;
          progress(
            `${over} of ${walks.length}: ${one.client.name}, ${one.connection}, ${one.what}: ${faults.join('; ') || 'well'}`,
          );
          return faults;
        }),
    );
    await pause(startPauseMs);
  }
  return { walks: walks.length, violations: (await Promise.all(running)).flat() };
}

const startPauseMs = 3_000;

export const heldClientsTorture: Torture = {
  name: 'held-clients',
  description:
    'official clients with held prompts, with the times of the product; a round is each client once in each case',
  roundsDefault: 1,
  async run({ rounds, progress }): Promise<TortureReport> {
    const { clients, missing } = await heldClients();
    await using stand = await startStand();
    const counts = { clients: clients.length, walks: 0 };
    const violations: string[] = missing.map((why) => `a client is missing: ${why}`);
    for (let number = 0; number < rounds; number += 1) {
      const { walks, violations: found } = await round(stand, clients, progress);
      counts.walks += walks;
      violations.push(...found);
    }
    return { counts, violations };
  },
};

import type { TestGateway } from '../gateway.ts';
import type { HeldStreams } from '../held-streams.ts';
import { found } from '../recorded.ts';
import { servedAgain } from '../traffic.ts';
import { waitUntil } from '../wait.ts';

/** What came of one prompt at the gateway, whatever its client says of it. */
export type Seen = {
  tickets: number;
  /** Of the exchanges with that prompt, the first one first: each attempt is one. */
  outcomes: string[];
  arrivals: number;
};

/** To be asked when the client has ended. `marker` is a word of the prompt alone. */
export async function seenOf({ gateway, ...held }: HeldStreams, marker: string): Promise<Seen> {
  // What ended before this one is in the index before it.
  const authorization = `Bearer ${await gateway.token()}`;
  const { exchangeId } = await servedAgain(gateway, { authorization });
  await inIndex(gateway, exchangeId);
  const ids = (await found(gateway, marker, { noise: true })).toReversed();
  const documents = await Promise.all(ids.map((id) => inIndex(gateway, id)));
  const outcomes = documents.map(({ skilltape }) => skilltape.outcome);
  return { tickets: held.ticketsOf(marker).length, outcomes, arrivals: held.arrivals(marker).length };
}

/** Clients are programs that all want the machine at once. */
const indexingMaxMs = 120_000;

function inIndex(gateway: TestGateway, id: string) {
  return waitUntil(`${id} in the index`, () => gateway.document(id).catch(() => undefined), indexingMaxMs);
}

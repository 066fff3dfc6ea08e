import { messagesBody } from '../../builders/messages-body.ts';
import type { HeldStreams } from '../held-streams.ts';
import { found } from '../recorded.ts';

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
  const { exchangeId } = await gateway.post(messagesBody('after all others'), { authorization });
  await gateway.document(exchangeId);
  const ids = (await found(gateway, marker, { noise: true })).toReversed();
  const documents = await Promise.all(ids.map((id) => gateway.document(id)));
  const outcomes = documents.map(({ skilltape }) => skilltape.outcome);
  return { tickets: held.ticketsOf(marker).length, outcomes, arrivals: held.arrivals(marker).length };
}

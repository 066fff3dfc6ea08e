import { SkilltapeError } from '../errors.ts';
import { type BodyFacts, type BodyPlace, unreadBody } from './body.ts';
import type { ExchangeContext } from './ports.ts';
import type { RequestBody } from './request-body.ts';

/** Has the body of a request read as policy judges it. Rejects when the journal does not have what was written. */
export async function readRequest(
  { reader, loopShare, onFault }: Pick<ExchangeContext, 'reader' | 'loopShare' | 'onFault'>,
  exchangeId: string,
  place: BodyPlace,
  body: RequestBody,
): Promise<BodyFacts> {
  try {
    return await loopShare.run(() => reader.read('body', place, body));
  } catch (thrown) {
    if (SkilltapeError.from(thrown).code === 'journal_corrupt') throw thrown;
    // A body that ends the thread which reads it is not to be sent again, so the caller is not told to retry.
    onFault(exchangeId, SkilltapeError.from(thrown));
    return unreadBody('body_malformed', unreadable);
  }
}

const unreadable = 'reading it takes more time or memory than there is';

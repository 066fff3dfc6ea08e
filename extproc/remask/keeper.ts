/** The keeper of values behind tokens, for documents that are masked again. */
import { SkilltapeError } from '../errors.ts';
import { keeperOf, type OpenKeeper } from '../ship/reveal.ts';

/**
 * Null where no values are kept. Throws SkilltapeError `index_failed` where they cannot be: a person waits for it, and
 * can mend it and repeat.
 */
export async function openKeeper(options: Parameters<typeof keeperOf>[0]): Promise<OpenKeeper | null> {
  let failure: string | null = null;
  const keeper = await keeperOf(options, ({ reason }) => {
    failure = reason;
  });
  if (keeper === null && failure !== null)
    throw new SkilltapeError('index_failed', `values behind tokens could not be kept: ${failure}`);
  return keeper;
}

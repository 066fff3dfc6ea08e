/** Turns tokens back into their values, with the private halves of the people whom they are of. */
import { invalid } from '../keys/key-file.ts';
import type { KeyOpener } from '../keys/opener.ts';
import { decodeSealedKey } from '../keys/sealed-key.ts';
import { openValue } from './sealed-value.ts';
import type { SealedRow } from './store.ts';

export type Revealed =
  | { kind: 'revealed'; token: string; value: string }
  /** No value was kept for it, or no longer. */
  | { kind: 'not_kept'; token: string }
  | { kind: 'erased'; token: string; erasedMs: number }
  | { kind: 'key_missing'; token: string; reason: string; remedy: string };

/** The pseudonyms of the people whom these values are of, each once. */
export function personsOf(rows: readonly SealedRow[]): string[] {
  return [...new Set(rows.map(({ sealedKey }) => decodeSealedKey(sealedKey).person))];
}

/** One outcome for each token, in their order. @throws SkilltapeError `key_invalid` */
export async function openRows(
  opener: KeyOpener,
  session: string,
  tokens: readonly string[],
  rows: readonly SealedRow[],
): Promise<Revealed[]> {
  const outcomes: Revealed[] = [];
  for (const token of tokens) {
    let outcome: Revealed = { kind: 'not_kept', token };
    for (const row of rows.filter((candidate) => candidate.token === token)) {
      outcome = await openRow(opener, session, row);
      if (outcome.kind === 'revealed') break;
    }
    outcomes.push(outcome);
  }
  return outcomes;
}

async function openRow(opener: KeyOpener, session: string, row: SealedRow): Promise<Revealed> {
  const { token, counter, value: sealed, context, sealedKey } = row;
  const opened = await opener.open(sealedKey, context);
  switch (opened.kind) {
    case 'erased':
      return { kind: 'erased', token, erasedMs: opened.erasedMs };
    case 'missing':
      return { kind: 'key_missing', token, reason: opened.reason, remedy: opened.remedy };
    case 'opened': {
      const value = openValue(opened.key, counter, session, token, sealed);
      if (value !== undefined) return { kind: 'revealed', token, value };
      throw invalid(
        `the sealed value of ${token} was changed or moved`,
        'Somebody wrote to reveal.sqlite; find out who.',
      );
    }
    default:
      return opened satisfies never;
  }
}

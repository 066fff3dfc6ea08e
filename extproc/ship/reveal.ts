/** The keeper of values for `skilltape reveal`, in the shipping thread; it holds public halves of keys alone. */
import { openSealer } from '../keys/sealer.ts';
import { RevealKeeper } from '../reveal/keeper.ts';
import { RevealStore } from '../reveal/store.ts';
import type { ShipOptions, ShipReport } from './protocol.ts';
import type { TokenKeeper } from './token-keeper.ts';

export type OpenKeeper = TokenKeeper & { close(): void };

/** Null where no values are kept, and where it cannot begin: shipping goes on without it. */
export async function keeperOf(
  { dataDirectory, reveal }: Pick<ShipOptions, 'dataDirectory' | 'reveal'>,
  report: (message: ShipReport & { kind: 'unrevealable' }) => void,
): Promise<OpenKeeper | null> {
  const onFailed = (exchanges: number, reason: string) => report({ kind: 'unrevealable', exchanges, reason });
  if (reveal === null) return null;
  try {
    const sealer = await openSealer({ dataDirectory });
    const store = RevealStore.open(dataDirectory, reveal.maxBytes);
    const keeper = new RevealKeeper({ store, sealer, keptDays: reveal.keptDays, onFailed });
    return { keep: (tokens) => keeper.keep(tokens), close: () => store.close() };
  } catch (thrown) {
    onFailed(0, thrown instanceof Error ? thrown.message : 'unknown');
    return null;
  }
}

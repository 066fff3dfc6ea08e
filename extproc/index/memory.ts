import type { Link, Links } from './links.ts';
import type { Rejects } from './rejects.ts';
import type { SeenTurns, Turns } from './seen-turns.ts';

/**
 * What shipping remembers between exchanges, on local disk beside whatever index is used. Throws SkilltapeError
 * `index_failed`.
 */
export type ShipMemory = {
  readonly turns: SeenTurns;
  readonly links: Links;
  readonly rejects: Rejects;
  /**
   * Remembers all of it, or nothing. The first exchange to name a turn or a thing keeps it: an exchange that is shipped
   * a second time finds itself as the first, so this may be called before its documents are delivered.
   */
  remember(turns: readonly Turns[], links: readonly Link[]): void;
  /** Takes back what an exchange brought whose documents are in no index: the text is new when it comes again. */
  forget(exchangeIds: readonly string[]): void;
  close(): void;
};

import type { CountedUse } from './counted.ts';
import type { Link, Links } from './links.ts';
import type { OwnedThing } from './owners.ts';
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
  /** The retention class that an exchange was first shipped with, or null. */
  retentionClassOf(exchangeId: string): string | null;
  /**
   * Remembers all of it, or nothing. The first exchange to name a turn or a thing keeps it, its first owner a thing, and an
   * exchange its first class: one that is shipped a second time finds itself as the first, so this may be called before its documents are
   * delivered. `retentionClasses` are by exchange id, a UUIDv7.
   */
  remember(
    turns: readonly Turns[],
    links: readonly Link[],
    retentionClasses: ReadonlyMap<string, string>,
    counted: readonly CountedUse[],
    owned: readonly OwnedThing[],
  ): void;
  /** Takes back what documents brought that are in no index: the text is new when it comes again. Owners stay. */
  forget(documentIds: readonly string[]): void;
  /** The same for all documents of an exchange: its own, and those of its batch. */
  forgetExchange(exchangeId: string): void;
  close(): void;
};

/** What a sweep or an erasure works on. */
import type { Deleted, Family } from '../archive/deletion.ts';
import type { Thinned } from '../archive/held-family.ts';
import type { DayOfClass, IndexRetention } from '../index/retention.ts';
import type { Holds } from './holds.ts';
import type { Disk, PlannedFamily } from './plan.ts';
import type { Receipts } from './receipts.ts';
import type { RetentionRules } from './rules.ts';

export type PersonName = { issuer: string; subject: string };

/** Families are named as the archive names them: those of exchanges, and those of metadata. */
export type ArchiveStore = {
  families(): Promise<PlannedFamily[]>;
  /** What holds kept of families that went. */
  heldFamilies(): Promise<PlannedFamily[]>;
  /** Lets all of a family go but the exchanges that `heldOf` says are held. @throws SkilltapeError */
  thin(
    family: Family,
    heldOf: (exchangeIds: readonly string[]) => Promise<ReadonlySet<string>>,
    reason: string,
  ): Promise<Thinned>;
  /** @throws SkilltapeError */
  delete(family: Family, reason: string): Promise<Deleted>;
};

/** Sealed values behind tokens, by the day on which they were sealed. */
export type RevealStore = {
  days(): (DayOfClass & { values: number })[];
  /** Those that have values of that day, with how many. */
  sessions(of: DayOfClass): { session: string; values: number }[];
  /** All of the day but those of these sessions; returns how many there were. */
  remove(of: DayOfClass, except?: ReadonlySet<string>): number;
  /** By the ids of the keys that they are sealed to. */
  removeKeys(keyIds: readonly string[]): number;
  close(): void;
};

export type RetentionParts = {
  archive: ArchiveStore;
  /** @throws SkilltapeError `index_failed` when it is away. */
  openIndex(): Promise<IndexRetention>;
  openReveal(): RevealStore;
  holds: Holds;
  receipts: Receipts;
  /** Null: unknown. */
  disk(): Disk | null;
  rules: RetentionRules;
  /** How a person may stand in documents: subject and pseudonym. */
  idsOf(person: PersonName): readonly string[];
  nowMs(): number;
};

/** Who does it, and why, in words that may be kept. */
export type Asked = { by: string; reason: string };

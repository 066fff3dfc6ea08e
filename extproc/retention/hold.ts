/** What a legal hold covers: which days may have a record of it. Which records those are is asked when the day is due. */
import type { DayOfClass, Matching } from '../index/retention.ts';
import { dayMs, daysBefore } from './days.ts';

/** All that is given must match; at least one is given. `fromMs` inclusive, `toMs` exclusive. */
export type HoldScope = {
  person?: { issuer: string; subject: string } | undefined;
  session?: string | undefined;
  connection?: string | undefined;
  fromMs?: number | undefined;
  toMs?: number | undefined;
};

/** `covered`: the classes and days that were ever seen to have a record of it; an index that was lost takes none back. */
export type Hold = {
  id: string;
  scope: HoldScope;
  addedMs: number;
  by: string;
  reason: string;
  covered: readonly DayOfClass[];
  released: { timeMs: number; by: string; reason: string } | null;
};

/** An exchange is archived with the day of its end, or a day after it where it came late; it is indexed by its beginning. */
const archivedDaysLate = 2;

/** Whether records have to be looked at to know what is held; a hold by time alone covers every record of it. */
export function needsIndex({ person, session, connection }: HoldScope): boolean {
  return person !== undefined || session !== undefined || connection !== undefined;
}

/** Days on which exchanges began that may be in what the archive has under this day. */
export function indexedDaysOf(archivedDay: string): string[] {
  return Array.from({ length: archivedDaysLate + 1 }, (_, back) => daysBefore(archivedDay, back));
}

/** Days under which the archive may have what began on this one. */
export function archivedDaysOf(indexedDay: string): string[] {
  return Array.from({ length: archivedDaysLate + 1 }, (_, on) => daysBefore(indexedDay, -on));
}

/** Whether this hold keeps a day of the index. */
export function keepsIndexed({ scope, covered }: Hold, { retentionClass, day }: DayOfClass): boolean {
  if (needsIndex(scope)) return covered.some((one) => one.retentionClass === retentionClass && one.day === day);
  const beganMs = Date.parse(day);
  return beganMs < (scope.toMs ?? Number.POSITIVE_INFINITY) && beganMs + dayMs > (scope.fromMs ?? 0);
}

/** Whether this hold keeps a family of the archive, or what was sealed on that day. */
export function keepsArchived(hold: Hold, { retentionClass, day }: DayOfClass): boolean {
  return indexedDaysOf(day).some((began) => keepsIndexed(hold, { retentionClass, day: began }));
}

/** The same as a question to the index. `idsOf` tells how a person may stand there. */
export function matchingOf(
  { person, session, connection, fromMs, toMs }: HoldScope,
  idsOf: (person: { issuer: string; subject: string }) => readonly string[],
): Matching {
  return {
    ...{ session, connection },
    person: person && { issuer: person.issuer, ids: idsOf(person) },
    from: fromMs === undefined ? undefined : new Date(fromMs),
    to: toMs === undefined ? undefined : new Date(toMs),
  };
}

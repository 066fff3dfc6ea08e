/** Which exchanges of the archive a hold covers. What nobody can say of is held: one too many is kept longer, one too few is lost. */
import { beganMsOf } from '../archive/reader.ts';
import { SkilltapeError } from '../errors.ts';
import type { IndexRetention } from '../index/retention.ts';
import { dayMs } from './days.ts';
import { type Hold, indexedDaysOf, matchingOf, needsIndex } from './hold.ts';

/** The clock that made the id of an exchange may be read a little before or after the one of its document. */
const slackMs = 60_000;

/**
 * By time alone the id says it. By person, session or connection the index does: an exchange goes only when it has a
 * document and that document matches no hold, so what the index refused or lost stays.
 */
export function heldAmong(
  holds: readonly Hold[],
  index: Pick<IndexRetention, 'unmatched'> | null,
  idsOf: Parameters<typeof matchingOf>[1],
): (exchangeIds: readonly string[]) => Promise<Set<string>> {
  const byTime = holds.filter(({ scope }) => !needsIndex(scope));
  const byRecord = holds.filter(({ scope }) => needsIndex(scope));
  return async (exchangeIds) => {
    const held = new Set(exchangeIds.filter((id) => byTime.some((hold) => coversTime(hold, beganMsOf(id)))));
    const others = exchangeIds.filter((id) => !held.has(id));
    if (byRecord.length === 0 || others.length === 0) return held;
    if (index === null) throw new SkilltapeError('index_failed', 'the index is away, which says what is held');
    const free = await index.unmatched(
      others,
      byRecord.map(({ scope }) => matchingOf(scope, idsOf)),
    );
    for (const id of others) if (!free.has(id)) held.add(id);
    return held;
  };
}

/**
 * Which of these sessions a hold covers, of those that have values sealed on that day. A value that a session had before is
 * sealed once, so a session with one held exchange keeps all of the day.
 */
export async function heldSessions(
  sessions: readonly string[],
  holds: readonly Hold[],
  index: Pick<IndexRetention, 'unmatchedSessions'>,
  { idsOf, day }: { idsOf: Parameters<typeof matchingOf>[1]; day: string },
): Promise<Set<string>> {
  const began = { from: new Date(indexedDaysOf(day).at(-1) ?? day), to: new Date(Date.parse(day) + dayMs) };
  const matching = holds.map(({ scope }) => matchingOf(scope, idsOf));
  const free = await index.unmatchedSessions(sessions, matching, began);
  return new Set(sessions.filter((session) => !free.has(session)));
}

function coversTime({ scope }: Hold, beganMs: number): boolean {
  return beganMs >= (scope.fromMs ?? 0) - slackMs && beganMs < (scope.toMs ?? Number.POSITIVE_INFINITY) + slackMs;
}

import type { Ending } from '../index/sqlite/event-feed.ts';
import type { Notice } from './notice.ts';
import { type Outbox, undeliveredMax } from './outbox.ts';
import { expiringNoticeId, type NoticeSource } from './source.ts';
import type { Target } from './target.ts';

export type CollectOptions = {
  targets: readonly Target[];
  expiringMs: number;
  /** What happened longer ago is not told any more. */
  giveUpMs: number;
};

const eventsAtOnceMax = 200;
export const expiringAtOnceMax = 1_000;

/**
 * Puts what happened since the last time into the outbox. True when there is more to read.
 */
export function collect(source: NoticeSource, outbox: Outbox, options: CollectOptions, nowMs: number): boolean {
  if (outbox.undelivered + eventsAtOnceMax * Math.max(1, options.targets.length) > undeliveredMax) return false;
  const events = source.since(outbox.cursorOf(source.name), eventsAtOnceMax, nowMs);
  const last = events.at(-1);
  const found = events.flatMap(({ timeMs, notice }) =>
    notice === null || nowMs - timeMs > options.giveUpMs ? [] : [notice],
  );
  if (last !== undefined) {
    outbox.add(addressed(found, options.targets), { source: source.name, number: last.number }, nowMs);
  }
  return events.length === eventsAtOnceMax;
}

/**
 * What is undecided and ends soon: once each. Looks at so many behind a place and gives the next place, null when none is
 * left: so those that were told already do not stand before the others. Without room in the outbox the place stays.
 */
export function collectExpiring(
  source: NoticeSource,
  outbox: Outbox,
  { targets, expiringMs }: CollectOptions,
  { after, nowMs }: { after: Ending | null; nowMs: number },
): Ending | null {
  const room = Math.floor((undeliveredMax - outbox.undelivered) / Math.max(1, targets.length));
  const ending = source.endingBefore(nowMs + expiringMs, expiringAtOnceMax, after);
  const found = ending.flatMap(({ id }): Notice[] => {
    const notice = outbox.has(expiringNoticeId(id)) ? null : source.expiring(id, expiringMs, nowMs);
    return notice === null ? [] : [notice];
  });
  const taken = found.slice(0, Math.max(0, room));
  if (taken.length > 0) outbox.add(addressed(taken, targets), null, nowMs);
  if (taken.length < found.length) return after;
  return ending.length < expiringAtOnceMax ? null : (ending.at(-1) ?? null);
}

function addressed(notices: readonly Notice[], targets: readonly Target[]) {
  const wants = ({ occasions, subjects }: Target, { occasion, about }: Notice) =>
    occasions.includes(occasion) && subjects.includes(about);
  return notices.flatMap((notice) =>
    targets
      .filter((target) => wants(target, notice))
      // Who asks stays out of the outbox where the target is not to know.
      .map((target) => ({ target: target.name, notice: target.namesPerson ? notice : { ...notice, person: null } })),
  );
}

import type { Ending, TicketFeed } from '../approvals/feed.ts';
import type { Ticket } from '../approvals/tickets.ts';
import { type Notice, noticeOf, type Occasion, occasionOf } from './notice.ts';
import { type Outbox, undeliveredMax } from './outbox.ts';
import type { Target } from './target.ts';

export type CollectOptions = {
  targets: readonly Target[];
  linkBase: string | null;
  expiringMs: number;
  /** What happened longer ago is not told any more. */
  giveUpMs: number;
};

const eventsAtOnceMax = 200;
export const expiringAtOnceMax = 1_000;

/**
 * Puts what happened to tickets since the last time into the outbox. True when there is more to read.
 */
export function collect(feed: TicketFeed, outbox: Outbox, options: CollectOptions, nowMs: number): boolean {
  if (outbox.undelivered + eventsAtOnceMax * Math.max(1, options.targets.length) > undeliveredMax) return false;
  const events = feed.since(outbox.cursor, eventsAtOnceMax);
  const last = events.at(-1);
  const found: Notice[] = [];
  for (const numbered of events) {
    const { number, ticket: id, event } = numbered;
    if (nowMs - event.timeMs > options.giveUpMs) continue;
    const ticket = feed.read(id, nowMs);
    const occasion = ticket === null ? null : occasionOf(numbered, ticket);
    if (ticket === null || occasion === null) continue;
    const own = { id: `${id}.${number}`, timeMs: event.timeMs, linkBase: options.linkBase };
    found.push(noticeOf(occasion, ticket, { ...own, event }));
  }
  if (last !== undefined) outbox.add(addressed(found, options.targets), last.number, nowMs);
  return events.length === eventsAtOnceMax;
}

/**
 * Undecided tickets that end soon: once each. Looks at so many behind a place and gives the next place, null when none is
 * left: so those that were told already do not stand before the others. Without room in the outbox the place stays.
 */
export function collectExpiring(
  feed: TicketFeed,
  outbox: Outbox,
  options: CollectOptions,
  { after, nowMs }: { after: Ending | null; nowMs: number },
): Ending | null {
  const room = Math.floor((undeliveredMax - outbox.undelivered) / Math.max(1, options.targets.length));
  const ending = feed.endingBefore(nowMs + options.expiringMs, expiringAtOnceMax, after);
  const found = ending.flatMap(({ id }): Notice[] => {
    const noticeId = `${id}.expiring`;
    if (outbox.has(noticeId)) return [];
    const ticket = feed.read(id, nowMs);
    if (ticket === null || !isExpiring(ticket, options.expiringMs, nowMs)) return [];
    return [noticeOf('expiring', ticket, { id: noticeId, timeMs: nowMs, linkBase: options.linkBase, event: null })];
  });
  const taken = found.slice(0, Math.max(0, room));
  if (taken.length > 0) outbox.add(addressed(taken, options.targets), null, nowMs);
  if (taken.length < found.length) return after;
  return ending.length < expiringAtOnceMax ? null : (ending.at(-1) ?? null);
}

function isExpiring({ state, terms }: Ticket, expiringMs: number, nowMs: number): boolean {
  if (state.kind !== 'pending') return false;
  return state.untilMs - nowMs <= Math.min(expiringMs, terms.openMs / 4);
}

function addressed(notices: readonly Notice[], targets: readonly Target[]) {
  const wants = ({ occasions }: Target, occasion: Occasion) => occasions.includes(occasion);
  return notices.flatMap((notice) =>
    targets
      .filter((target) => wants(target, notice.occasion))
      // Who asks stays out of the outbox where the target is not to know.
      .map((target) => ({ target: target.name, notice: target.namesPerson ? notice : { ...notice, person: null } })),
  );
}

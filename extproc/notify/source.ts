/** Where what people are told comes from: tickets, and what is asked for. */
import type { TicketFeed } from '../approvals/feed.ts';
import type { TicketEvent } from '../approvals/ticket.ts';
import type { GrantFeed } from '../grants/feed.ts';
import type { GrantEvent } from '../grants/grant.ts';
import type { Ending, NumberedEvent } from '../index/sqlite/event-feed.ts';
import { grantNotice, grantOccasion } from './grant-notice.ts';
import type { Notice } from './notice.ts';
import { ticketNotice, ticketOccasion } from './ticket-notice.ts';

export const sourceNames = ['approvals', 'grants'] as const;
export type SourceName = (typeof sourceNames)[number];

type Told = { timeMs: number; target: string; occasion: string };

export type NoticeSource = {
  name: SourceName;
  readonly version: number;
  /** What happened behind this number, oldest first, with what people are told of it: null for nothing. */
  since(number: number, limit: number, nowMs: number): { number: number; timeMs: number; notice: Notice | null }[];
  endingBefore(untilMs: number, limit: number, after: Ending | null): Ending[];
  /** That it ends soon and nobody has decided; null where that is not so, or not soon as `expiringMs` says. */
  expiring(id: string, expiringMs: number, nowMs: number): Notice | null;
  /** Writes down what became of telling a target. */
  note(id: string, event: { kind: 'notified' } & Told): void;
  noteFailure(id: string, event: { kind: 'not_notified'; why: string } & Told): void;
};

/** Of what is undecided for at most the last quarter of its time. */
function isSoon(
  untilMs: number,
  openMs: number,
  { expiringMs, nowMs }: { expiringMs: number; nowMs: number },
): boolean {
  return untilMs - nowMs <= Math.min(expiringMs, openMs / 4);
}

export function expiringNoticeId(id: string): string {
  return `${id}.expiring`;
}

export function ticketSource(feed: TicketFeed, linkBase: string | null): NoticeSource {
  const noticeOf = ({ number, id, event }: NumberedEvent<TicketEvent>, nowMs: number): Notice | null => {
    const ticket = feed.read(id, nowMs);
    const occasion = ticket === null ? null : ticketOccasion(event, ticket);
    if (ticket === null || occasion === null) return null;
    return ticketNotice(occasion, ticket, { id: `${id}.${number}`, timeMs: event.timeMs, linkBase, event });
  };
  return {
    ...sourceOver(feed, noticeOf),
    name: 'approvals',
    get version() {
      return feed.version;
    },
    expiring(id, expiringMs, nowMs) {
      const ticket = feed.read(id, nowMs);
      if (ticket?.state.kind !== 'pending') return null;
      if (!isSoon(ticket.state.untilMs, ticket.terms.openMs, { expiringMs, nowMs })) return null;
      return ticketNotice('expiring', ticket, { id: expiringNoticeId(id), timeMs: nowMs, linkBase, event: null });
    },
  };
}

export function grantSource(feed: GrantFeed, linkBase: string | null): NoticeSource {
  const noticeOf = ({ number, id, event }: NumberedEvent<GrantEvent>, nowMs: number): Notice | null => {
    const grant = feed.read(id, nowMs);
    const occasion = grant === null ? null : grantOccasion(event, grant);
    if (grant === null || occasion === null) return null;
    return grantNotice(occasion, grant, { id: `${id}.${number}`, timeMs: event.timeMs, linkBase, event });
  };
  return {
    ...sourceOver(feed, noticeOf),
    name: 'grants',
    get version() {
      return feed.version;
    },
    expiring(id, expiringMs, nowMs) {
      const grant = feed.read(id, nowMs);
      if (grant?.state.kind !== 'pending') return null;
      if (!isSoon(grant.state.untilMs, grant.terms.openMs, { expiringMs, nowMs })) return null;
      return grantNotice('expiring', grant, { id: expiringNoticeId(id), timeMs: nowMs, linkBase, event: null });
    },
  };
}

type Feed<Event> = {
  since(number: number, limit: number): NumberedEvent<Event>[];
  endingBefore: NoticeSource['endingBefore'];
  note(id: string, event: Parameters<NoticeSource['note']>[1] | Parameters<NoticeSource['noteFailure']>[1]): void;
};

function sourceOver<Event extends { timeMs: number }>(
  feed: Feed<Event>,
  noticeOf: (numbered: NumberedEvent<Event>, nowMs: number) => Notice | null,
): Pick<NoticeSource, 'since' | 'endingBefore' | 'note' | 'noteFailure'> {
  return {
    since: (number, limit, nowMs) =>
      feed.since(number, limit).map((numbered) => ({
        ...{ number: numbered.number, timeMs: numbered.event.timeMs },
        notice: noticeOf(numbered, nowMs),
      })),
    endingBefore: (...asked) => feed.endingBefore(...asked),
    note: (id, event) => feed.note(id, event),
    noteFailure: (id, event) => feed.note(id, event),
  };
}

/** Events of a session of managed agents are sent once and streamed back, maybe often: each is indexed once. */
import { writeCanonicalTurn } from '../claude/history.ts';
import type { SessionEvent } from '../claude/session-events.ts';
import { sessionEventsIn } from '../claude/session-events.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import type { Setting } from './draft.ts';
import { fieldOf, textOf } from './gen-ai.ts';
import type { Reading } from './reading.ts';
import type { Recall, Thing } from './recall.ts';
import type { Transcript } from './transcript.ts';

/** The session's id at the vendor: in the path, or in the answer that made it; empty for any other exchange. */
export function managedSessionId({ endpoint }: Setting, { started }: Transcript, { other }: Reading): string {
  if (endpoint.kind !== 'sessions') return '';
  if (endpoint.name === 'sessions.create') return textOf(fieldOf(other, 'id'));
  return started.path.split('/')[3] ?? '';
}

/** The events of the answer that no earlier exchange has shown. */
export function newEvents(reading: Reading, session: string, keyedHash: KeyedHash, recall: Recall, askedBy: string) {
  return reading.events.filter((event) =>
    thingsOf(event, session, keyedHash).every((thing) => recall.origin(thing, askedBy) === null),
  );
}

/** By what the events of this exchange are found again: those shown here, those sent, and the ids they were given. */
export function eventThings(
  reading: Reading,
  shown: readonly SessionEvent[],
  session: string,
  keyedHash: KeyedHash,
): Thing[] {
  const given = reading.sentEvents.length === 0 ? [] : (sessionEventsIn(reading.other)?.events ?? []);
  return [...shown, ...reading.sentEvents, ...given].flatMap((event) => thingsOf(event, session, keyedHash));
}

/** A caller's events come back under ids that it was not always told, so they go by what is in them too. */
function thingsOf({ id, role, type, content }: SessionEvent, session: string, keyedHash: KeyedHash): Thing[] {
  const byId: Thing[] = id === '' ? [] : [{ kind: 'session_event', ids: [id] }];
  if (role !== 'user' || session === '') return byId;
  const hash = keyedHash('session_event', (write) => writeCanonicalTurn({ role: type, content }, write));
  return [...byId, { kind: 'session_event', ids: [session, hash] }];
}

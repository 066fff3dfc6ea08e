/** The events of one session in their order, and the open streams that hear of each new one. */
import type { Json } from '../message.ts';
import type { IdSeries, SteppingClock } from '../storage/foretold.ts';

export type SessionEvent = Json & { readonly id: string; readonly type: string };

/** An event with the thread it belongs to; those of the main thread are the session's own. */
export type Entry = { readonly threadId: string; readonly event: SessionEvent };

const EVENTS_MAX = 2_000;
/** After these nothing more comes, and streams end. */
const LAST_TYPES = ['session.deleted', 'session.status_terminated'];

type Listener = (entry: Entry) => void;

export class EventLog {
  readonly #entries: Entry[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #nextId: IdSeries;
  readonly #clock: SteppingClock;
  #isOver = false;

  constructor(nextId: IdSeries, clock: SteppingClock) {
    this.#nextId = nextId;
    this.#clock = clock;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  append(threadId: string, event: Json & { readonly type: string }): SessionEvent {
    const entry = { threadId, event: { id: this.#nextId(), ...event, processed_at: this.#clock.now() } };
    this.#entries.push(entry);
    if (this.#entries.length > EVENTS_MAX) this.#entries.shift();
    if (LAST_TYPES.includes(event.type)) this.#isOver = true;
    for (const listener of this.#listeners) listener(entry);
    return entry.event;
  }

  eventsOf(threadId: string): SessionEvent[] {
    return this.#entries.filter((entry) => entry.threadId === threadId).map(({ event }) => event);
  }

  /** What is appended to the thread from now on, until its last event, a reader 2,000 events behind, or `gone`. */
  follow(threadId: string, gone: AbortSignal): AsyncIterable<SessionEvent> {
    const waiting: SessionEvent[] = [];
    let wake = () => {};
    const listener: Listener = ({ threadId: ofThread, event }) => {
      if (ofThread === threadId || LAST_TYPES.includes(event.type)) waiting.push(event);
      wake();
    };
    const leave = () => {
      this.#listeners.delete(listener);
      wake();
    };
    this.#listeners.add(listener);
    gone.addEventListener('abort', leave, { once: true });
    const isOver = () => this.#isOver || waiting.length > EVENTS_MAX;
    return (async function* () {
      try {
        for (;;) {
          for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
          if (gone.aborted || isOver()) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (waiting.length > 0 || gone.aborted) resolve();
          });
        }
      } finally {
        leave();
      }
    })();
  }
}

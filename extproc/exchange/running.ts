import type { Action, Frame } from './frame.ts';
import type { Stops } from './ports.ts';
import type { Soon } from './soon.ts';
import type { Stop } from './stopping.ts';

/** The steps of an exchange, which go through as they are. */
type Steps<End extends unknown[]> = {
  readonly id: string;
  accept(frame: Frame): Soon<Action>;
  left(): void;
  abandon(...end: End): Promise<void>;
};

/** Ends the exchange; what it gives is the last that is sent of it. Rejects when the end cannot be recorded. */
type Ends = { stop(stop: Stop): Promise<Action> };

type Running = { stop(stop: Stop): Promise<void>; session: string | null };

/** The open exchanges of a process, so that an operator can end them, and the sessions of which nothing goes on. */
export class RunningExchanges implements Stops {
  readonly #running = new Map<string, Running>();
  #stopped: ReadonlyMap<string, Stop> = new Map();

  reasonFor(session: string): Stop | null {
    return this.#stopped.size === 0 ? null : (this.#stopped.get(session) ?? null);
  }

  joined(exchangeId: string, session: string): void {
    const running = this.#running.get(exchangeId);
    if (running !== undefined) running.session = session;
  }

  began(exchangeId: string, stop: Running['stop']): void {
    this.#running.set(exchangeId, { stop, session: null });
  }

  ended(exchangeId: string): void {
    const running = this.#running.get(exchangeId);
    if (running === undefined) return;
    // The tables that a map outgrew hang together, and once one of them is old, the young generation keeps what they hold.
    running.stop = nothingToStop;
    this.#running.delete(exchangeId);
  }

  /** From now on these sessions are stopped, and no others. */
  useStopped(sessions: ReadonlyMap<string, Stop>): void {
    this.#stopped = sessions;
  }

  /** Ends what runs of a session, or one exchange. Resolves with the ids of those when their ends are recorded. */
  async end(target: { kind: 'session' | 'exchange'; id: string }, stop: Stop): Promise<string[]> {
    const found = [...this.#running].filter(([exchangeId, { session }]) =>
      target.kind === 'exchange' ? exchangeId === target.id : session === target.id,
    );
    await Promise.all(found.map(([, running]) => running.stop(stop)));
    return found.map(([exchangeId]) => exchangeId);
  }
}

const nothingToStop = async (): Promise<void> => {};

/** An exchange that an operator can end. */
export class StoppableExchange<End extends unknown[]> implements Steps<End> {
  readonly id: string;
  readonly #steps: Steps<End>;
  readonly #ends: Ends;
  readonly #running: RunningExchanges;

  constructor(steps: Steps<End>, ends: Ends, running: RunningExchanges) {
    this.id = steps.id;
    this.#steps = steps;
    this.#ends = ends;
    this.#running = running;
  }

  accept(frame: Frame): Soon<Action> {
    return this.#steps.accept(frame);
  }

  left(): void {
    this.#steps.left();
  }

  abandon(...end: End): Promise<void> {
    this.#running.ended(this.id);
    return this.#steps.abandon(...end);
  }

  /** `heed` is called at most once, with the last that is to be sent, whatever Envoy does. */
  onStop(heed: (last: Action) => void): void {
    this.#running.began(this.id, async (stop) => {
      const last = await this.#ends.stop(stop).catch((): Action => ({ kind: 'cut', reason: 'it was stopped' }));
      if (last.kind !== 'wait') heed(last);
    });
  }
}

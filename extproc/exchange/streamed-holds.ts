import { Turns } from './turns.ts';

/** What answers that begin while a request is held may take of a process (inv. 10). */
export type StreamedHoldLimits = {
  /** How many are open at once. */
  holdsMax: number;
  /** Bytes of the request bodies that they keep, all together. */
  heldMaxBytes: number;
  /** Longest time that one waits for people. */
  maxMs: number;
  /** How often a comment tells the client that it is still held. */
  commentIntervalMs: number;
  /** Bytes of the answer to one released request: nothing slows Envoy down towards a client that does not read. */
  answerMaxBytes: number;
};

/** The part of one streamed hold; both happen once, however often they are said. */
export type StreamedPlace = {
  /** It does not wait for people any more; its answer goes on. */
  decided(): void;
  giveBack(): void;
};

/** Counts the streamed holds of a process. One that finds no place is held in silence, as all others are. */
export class StreamedHolds {
  readonly limits: StreamedHoldLimits;
  /** In which approved requests begin to be sent. */
  readonly turns = new Turns({ atOnceMax: 16, turnMaxMs: 1_000 });
  #open = 0;
  #waiting = 0;
  #bytes = 0;

  constructor(limits: StreamedHoldLimits) {
    this.limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** Of those that are open. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Null at a limit. */
  take(bytes: number): StreamedPlace | null {
    const { holdsMax, heldMaxBytes } = this.limits;
    if (this.#open >= holdsMax || this.#bytes + bytes > heldMaxBytes) return null;
    this.#open += 1;
    this.#waiting += 1;
    this.#bytes += bytes;
    let isTaken = true;
    let isWaiting = true;
    const decided = () => {
      if (isWaiting) this.#waiting -= 1;
      isWaiting = false;
    };
    return {
      decided,
      giveBack: () => {
        decided();
        if (!isTaken) return;
        isTaken = false;
        this.#open -= 1;
        this.#bytes -= bytes;
      },
    };
  }
}

import type { HeaderList } from './headers.ts';

/** A held request that people approved, as it goes upstream: the bytes are those that were judged (inv. 3). */
export type ReleasedRequest = {
  method: string;
  /** Path and query as the caller's route has them; the release listener has the same routes. */
  target: string;
  headers: HeaderList;
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
};

/**
 * - `unsent`: nothing of it left this machine
 * - `broken`: it may have been answered in part, and no answer came
 * - `gave_up`: the same, by a limit of Envoy's
 */
export type ReleaseResult =
  | { kind: 'answered'; answer: ReleasedAnswer }
  | { kind: 'unsent'; fault: Error }
  | { kind: 'broken'; fault: Error }
  | { kind: 'gave_up'; fault: Error };

export type ReleasedAnswer = {
  status: number;
  headers: HeaderList;
  /** The next piece of its body, null at its end; rejects when the upstream broke it off. Nothing is read ahead of it. */
  next(): Promise<Uint8Array | null>;
  /** Its rest is not wanted. */
  abort(): void;
};

/** Sends a request to the upstream by a way on which Envoy adds the credential (extproc/release). */
export type Releaser = {
  /** Never rejects. An abort by the signal also breaks off the answer. */
  send(request: ReleasedRequest, signal: AbortSignal): Promise<ReleaseResult>;
};

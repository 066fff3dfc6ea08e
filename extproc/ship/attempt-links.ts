import { decodeRecord } from '../exchange/record.ts';
import type { Transcript } from '../transcript/transcript.ts';

/** Envoy repeats a request within seconds; this many later ones may come between. */
const rememberedRequestsMax = 10_000;

/**
 * Links a second attempt that came to another worker than the first: neither knew of the other, but Envoy gave both the
 * same request id, and both starts are in a journal before either is shipped. One worker's own attempts it links itself
 * (`exchange/attempts.ts`). What is remembered ends with the thread, and with it the link of an attempt that is shipped
 * after a restart of which the first one was shipped before.
 */
export class AttemptLinks {
  readonly #isNeeded: boolean;
  readonly #firstByRequest = new Map<string, string>();

  /** With one journal there is nothing to find, and the starts need not be read for it. */
  constructor(journals: number) {
    this.#isNeeded = journals > 1;
  }

  /** @param payload the record of a start */
  note(payload: Uint8Array): void {
    if (!this.#isNeeded) return;
    const record = decodeRecord(payload);
    if (record.kind !== 'started' || record.started.envoyRequestId === '') return;
    const { envoyRequestId } = record.started;
    const known = this.#firstByRequest.get(envoyRequestId);
    // Ids have their time in front (UUIDv7): the smaller one began first, whichever journal is read first.
    if (known === undefined || record.exchangeId < known) this.#firstByRequest.set(envoyRequestId, record.exchangeId);
    if (this.#firstByRequest.size <= rememberedRequestsMax) return;
    for (const oldest of this.#firstByRequest.keys()) {
      this.#firstByRequest.delete(oldest);
      break;
    }
  }

  linked(transcript: Transcript): Transcript {
    const { started, exchangeId } = transcript;
    const first = this.#firstByRequest.get(started.envoyRequestId);
    if (started.attemptOf !== null || first === undefined || first >= exchangeId) return transcript;
    return { ...transcript, started: { ...started, attemptOf: first } };
  }
}

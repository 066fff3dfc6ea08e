import type { ExchangeRecord, RecordBody } from '../exchange/record.ts';
import { readBodyMaxBytes, type Unread } from '../transcript/transcript.ts';

type BodyRecord = { kind: RecordBody['kind']; contentBytes: number };

/**
 * The two bodies of an exchange, each put together in one piece of memory while its records are read: joining them
 * afterwards would hold them twice. Of bodies that are too large only a beginning is loaded.
 */
export class LoadedBodies {
  readonly unread: Unread = { request: 0, answer: 0 };
  readonly #bytes: { request: Buffer; answer: Buffer };
  readonly #filled = { request: 0, answer: 0 };
  #room = readBodyMaxBytes;

  constructor(records: readonly BodyRecord[]) {
    let room = readBodyMaxBytes;
    const sizes = { request: 0, answer: 0 };
    for (const { kind, contentBytes } of records) {
      const body = bodyOf(kind);
      if (body === null) continue;
      room -= contentBytes;
      if (room >= 0) sizes[body] += contentBytes;
    }
    this.#bytes = { request: Buffer.allocUnsafeSlow(sizes.request), answer: Buffer.allocUnsafeSlow(sizes.answer) };
  }

  /** Whether the record is to be read, asked once for each in its order. What was sent in place of an answer is not. */
  wants({ kind, contentBytes }: BodyRecord): boolean {
    if (kind === 'answer_changed') return false;
    const body = bodyOf(kind);
    if (body === null) return true;
    this.#room -= contentBytes;
    if (this.#room >= 0) return true;
    this.unread[body] += contentBytes;
    return false;
  }

  take({ kind, bytes }: { kind: RecordBody['kind']; bytes: Uint8Array }): void {
    const body = bodyOf(kind);
    if (body === null) return;
    this.#bytes[body].set(bytes, this.#filled[body]);
    this.#filled[body] += bytes.length;
  }

  /** Each body as one record. */
  records(exchangeId: string): ExchangeRecord[] {
    const { request, answer } = this.#bytes;
    return [
      { exchangeId, timeMs: 0, kind: 'request_body', bytes: request },
      { exchangeId, timeMs: 0, kind: 'answer_body', bytes: answer },
    ];
  }
}

function bodyOf(kind: RecordBody['kind']): 'request' | 'answer' | null {
  return kind === 'request_body' ? 'request' : kind === 'answer_body' ? 'answer' : null;
}

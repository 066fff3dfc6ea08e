import type { StreamEnding } from './broken-off.ts';
import type { Action, Frame } from './frame.ts';
import { headerValue } from './headers.ts';
import type { Judge } from './ports.ts';
import { accessLogOf } from './release.ts';
import { type ReleasePasses, releasePassHeader } from './release-pass.ts';

/** What Envoy's access log says of a request on the release listener that belongs to an exchange of its own. */
export const releasedVerdict = 'released';

/** Of a request without a pass: whoever sends one is refused and recorded like a caller without a token. */
export const refusesAll: Judge = {
  ...{ revision: '', looksAtFindings: false, looksAtExcerpt: false, looksAtTotals: false, timeZones: [] },
  access: () => refusal,
  request: () => refusal,
};

const refusal = {
  verdict: 'deny',
  reasons: [{ rule: 'skilltape/release', message: 'Only requests that were held and approved go this way.' }],
} as const;

type Refusing = {
  readonly id: string;
  accept(frame: Frame): Promise<Action>;
  left(): void;
  abandon(how: StreamEnding, detail: string, undelivered?: boolean): Promise<void>;
};

/**
 * One request on the release listener. What shows a pass belongs to an exchange that has its record, its verdict and its
 * answer elsewhere: it goes on and is neither judged nor recorded again. Everything else is refused (inv. 2, inv. 5).
 */
export class ReleaseGate {
  readonly isGate = true;
  readonly #passes: ReleasePasses;
  readonly #connection: string;
  readonly #refusing: Refusing;
  #released: string | null = null;

  /** `connection` is the route's. */
  constructor(passes: ReleasePasses, connection: string, refusing: Refusing) {
    this.#passes = passes;
    this.#connection = connection;
    this.#refusing = refusing;
  }

  get id(): string {
    return this.#released ?? this.#refusing.id;
  }

  async accept(frame: Frame): Promise<Action> {
    if (this.#released !== null) return { kind: 'cut', reason: `${frame.kind} came behind a released request` };
    if (frame.kind !== 'request_headers') return this.#refuse(frame);
    this.#released = this.#passOf(frame);
    if (this.#released === null) return this.#refuse(frame);
    return {
      ...{ kind: 'release', removeHeaders: [releasePassHeader], body: [], hadBody: false, hadTrailers: false },
      accessLog: accessLogOf(this.#released, this.#connection, releasedVerdict),
    };
  }

  /** A refusal is all that may come of it, whatever the exchange behind it makes of a frame. */
  async #refuse(frame: Frame): Promise<Action> {
    const action = await this.#refusing.accept(frame);
    if (action.kind === 'local_reply' || action.kind === 'cut') return action;
    return { kind: 'cut', reason: `${frame.kind} came without a pass` };
  }

  #passOf({ headers }: Extract<Frame, { kind: 'request_headers' }>): string | null {
    const passes = headers.filter(([name]) => name === releasePassHeader);
    const [pass] = passes;
    const bytes = Number(headerValue(headers, 'content-length') ?? Number.NaN);
    if (pass === undefined || passes.length > 1 || !Number.isSafeInteger(bytes)) return null;
    const method = headerValue(headers, ':method') ?? '';
    const target = headerValue(headers, ':path') ?? '';
    return this.#passes.use(pass[1], { connection: this.#connection, method, target, bytes });
  }

  left(): void {}

  async abandon(how: StreamEnding, detail: string, undelivered?: boolean): Promise<void> {
    if (this.#released === null) await this.#refusing.abandon(how, detail, undelivered);
  }
}

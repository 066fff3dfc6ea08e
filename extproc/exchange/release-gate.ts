import { SkilltapeError } from '../errors.ts';
import type { StreamEnding } from './broken-off.ts';
import type { Action, Frame, FrameOf } from './frame.ts';
import { headerValue } from './headers.ts';
import type { ExchangeContext, Judge } from './ports.ts';
import { accessLogOf } from './release.ts';
import { type ReleasePasses, releasePassHeader, releaseRefusedHeader } from './release-pass.ts';
import type { Soon } from './soon.ts';

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
  accept(frame: Frame): Soon<Action>;
  left(): void;
  abandon(how: StreamEnding, detail: string, undelivered?: boolean): Promise<void>;
};

type RequestHeaders = FrameOf<'request_headers'>;

/**
 * One request on the release listener. What shows a pass belongs to an exchange that has its record, its verdict and its
 * answer elsewhere: it goes on and is neither judged nor recorded again. Everything else is refused (inv. 2, inv. 5).
 */
export class ReleaseGate {
  readonly isGate = true;
  readonly #passes: ReleasePasses;
  readonly #connection: string;
  readonly #refusing: Refusing;
  readonly #onFault: ExchangeContext['onFault'];
  #released: string | null = null;

  /** `connection` is the route's. */
  constructor(passes: ReleasePasses, connection: string, refusing: Refusing, onFault: ExchangeContext['onFault']) {
    this.#passes = passes;
    this.#connection = connection;
    this.#refusing = refusing;
    this.#onFault = onFault;
  }

  get id(): string {
    return this.#released ?? this.#refusing.id;
  }

  async accept(frame: Frame): Promise<Action> {
    if (this.#released !== null) return { kind: 'cut', reason: `${frame.kind} came behind a released request` };
    if (frame.kind !== 'request_headers') return this.#refuse(frame);
    const pass = passOf(frame);
    this.#released = pass === null ? null : await this.#use(pass, frame);
    if (this.#released === null) return this.#refuse(frame, pass);
    return {
      ...{ kind: 'release', removeHeaders: [releasePassHeader], body: [], hadBody: false, hadTrailers: false },
      accessLog: accessLogOf(this.#released, this.#connection, releasedVerdict),
    };
  }

  /**
   * A refusal is all that may come of it, whatever the exchange behind it makes of a frame. Where it was one of ours that
   * sent it, it is told so in a way that the upstream could not (inv. 4).
   */
  async #refuse(frame: Frame, pass: string | null = null): Promise<Action> {
    const action = await this.#refusing.accept(frame);
    if (action.kind === 'cut') return action;
    if (action.kind !== 'local_reply') return { kind: 'cut', reason: `${frame.kind} came without a pass` };
    if (pass === null) return action;
    const headers = { ...action.reply.headers, [releaseRefusedHeader]: this.#passes.refusalOf(pass) };
    return { ...action, reply: { ...action.reply, headers } };
  }

  async #use(pass: string, { headers }: RequestHeaders): Promise<string | null> {
    const bytes = Number(headerValue(headers, 'content-length') ?? Number.NaN);
    if (!Number.isSafeInteger(bytes)) return null;
    const method = headerValue(headers, ':method') ?? '';
    const target = headerValue(headers, ':path') ?? '';
    try {
      return await this.#passes.use(pass, { connection: this.#connection, method, target, bytes });
    } catch (thrown) {
      this.#onFault(this.#refusing.id, SkilltapeError.from(thrown));
      return null;
    }
  }

  left(): void {}

  async abandon(how: StreamEnding, detail: string, undelivered?: boolean): Promise<void> {
    if (this.#released === null) await this.#refusing.abandon(how, detail, undelivered);
  }
}

/** The only one; two are none. */
function passOf({ headers }: RequestHeaders): string | null {
  const [pass, ...more] = headers.filter(([name]) => name === releasePassHeader);
  return pass === undefined || more.length > 0 ? null : pass[1];
}

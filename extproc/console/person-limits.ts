/** What one person may do behind the login: a login without any rights must not keep those who decide from the console. */
import type { Identity } from '../exchange/identity.ts';
import { Attempts } from './attempts.ts';

/** Of one person by pages and API together (inv. 10). An open page asks again twice a second while much happens. */
export const personLimits = {
  /** Pages and reading calls; a list asks policy about 500 tickets at the most. */
  looksPerMinuteMax: 240,
  /** Whatever is to change something, also what is refused then. */
  decisionsPerMinuteMax: 120,
  /** Pages that listen at once; of one session ten. */
  listeningPagesMax: 20,
} as const;

export type PersonLimit = keyof typeof personLimits;

const personsMax = 10_000;

/** `isFirst`: of this person and this limit in this minute. */
export type Over = { limit: PersonLimit; isFirst: boolean; retryAfterSeconds: number };

export class PersonLimits {
  readonly #looks: Attempts;
  readonly #decisions: Attempts;
  readonly #told: Attempts;
  readonly #listening = new Map<string, number>();

  constructor(now: () => number) {
    const { looksPerMinuteMax, decisionsPerMinuteMax } = personLimits;
    this.#looks = new Attempts({ maxPerMinute: looksPerMinuteMax, keysMax: personsMax }, now);
    this.#decisions = new Attempts({ maxPerMinute: decisionsPerMinuteMax, keysMax: personsMax }, now);
    this.#told = new Attempts({ maxPerMinute: 1, keysMax: personsMax * Object.keys(personLimits).length }, now);
  }

  /** Null while the person is within the limit. */
  take(person: Identity, limit: 'looksPerMinuteMax' | 'decisionsPerMinuteMax'): Over | null {
    const attempts = limit === 'looksPerMinuteMax' ? this.#looks : this.#decisions;
    return attempts.take(keyOf(person)) ? null : this.#over(person, limit, attempts.secondsLeft);
  }

  /** A page listens from now on until the function is called that this gives. */
  listen(person: Identity): (() => void) | Over {
    const key = keyOf(person);
    const count = this.#listening.get(key) ?? 0;
    if (count >= personLimits.listeningPagesMax) return this.#over(person, 'listeningPagesMax', 60);
    this.#listening.set(key, count + 1);
    return () => {
      const left = (this.#listening.get(key) ?? 1) - 1;
      if (left === 0) this.#listening.delete(key);
      else this.#listening.set(key, left);
    };
  }

  #over(person: Identity, limit: PersonLimit, retryAfterSeconds: number): Over {
    return { limit, isFirst: this.#told.take(JSON.stringify([limit, keyOf(person)])), retryAfterSeconds };
  }
}

function keyOf({ issuer, subject }: Identity): string {
  return JSON.stringify([issuer, subject]);
}

export function overWords({ limit }: Pick<Over, 'limit'>): string {
  const most = personLimits[limit];
  switch (limit) {
    case 'looksPerMinuteMax':
      return `You have looked ${most} times in this minute, which is the most. Wait until it is over.`;
    case 'decisionsPerMinuteMax':
      return `You have sent ${most} decisions or requests in this minute, which is the most. Nothing more was recorded.`;
    case 'listeningPagesMax':
      return `${most} pages of yours follow what happens, which is the most. Close some.`;
    default:
      return limit satisfies never;
  }
}

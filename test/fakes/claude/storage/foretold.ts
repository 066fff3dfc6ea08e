/** Ids and times that are the same in every run: numbers in the order of creation, and a clock that steps. */

export type IdSeries = () => string;

/** `file_011Fake0000000000000001`, `…2`, … for the prefix `file_011`. */
export function idSeries(prefix: string): IdSeries {
  let last = 0;
  return () => {
    last += 1;
    return `${prefix}Fake${String(last).padStart(16, '0')}`;
  };
}

const START = Date.UTC(2026, 10, 22, 12);
const STEP_MS = 1000;

/** Starts at 2026-11-22T12:00:00Z and is one second later at every look. */
export class SteppingClock {
  #steps = 0;

  now(): string {
    const time = START + this.#steps * STEP_MS;
    this.#steps += 1;
    return isoSeconds(time);
  }
}

export function plusSeconds(iso: string, seconds: number): string {
  return isoSeconds(Date.parse(iso) + seconds * 1000);
}

function isoSeconds(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z');
}

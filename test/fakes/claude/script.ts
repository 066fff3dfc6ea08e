/** What the next requests to a route do, queued by a test. */
import type { Behaviour } from './behaviour.ts';
import { readDirectives, UnknownDirective } from './directives.ts';
import { MESSAGES, ROUTE_NAMES } from './routes.ts';

type Step = Partial<Behaviour>;

/** Answers that stand for themselves: the others are made from a prompt. */
const ANYWHERE = ['error', 'raw', 'fixture'];

export class Script {
  readonly #steps = new Map<string, Step[]>();

  /** Steps are behaviours, or directives as text. Throws for a step or route that means nothing. */
  add(route: string, steps: readonly (string | Step)[]): void {
    if (!ROUTE_NAMES.includes(route)) throw new RangeError(`the fake has no route ${route}`);
    const read = steps.map((step) => (typeof step === 'string' ? readStep(step) : step));
    const misplaced = read.find(({ answer }) => answer !== undefined && !ANYWHERE.includes(answer.kind));
    if (route !== MESSAGES && misplaced !== undefined) {
      throw new RangeError(`${route} can not answer with ${misplaced.answer?.kind}`);
    }
    this.#steps.set(route, [...(this.#steps.get(route) ?? []), ...read]);
  }

  /** Takes the next step off. */
  next(route: string): Step | undefined {
    return this.#steps.get(route)?.shift();
  }
}

function readStep(text: string): Step {
  const step = readDirectives(text);
  if (Object.keys(step).length === 0) throw new UnknownDirective(`no directive in the script step: ${text}`);
  return step;
}

/** Erasing a person: their keys first, which makes the sealed record unreadable, then every copy (inv. 9). A hold wins. */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import type { KeyFiles } from '../keys/files.ts';
import { openStores, type Stores } from './gather.ts';
import { type Hold, matchingOf } from './hold.ts';
import type { Asked, PersonName, RetentionParts } from './parts.ts';
import type { EraseReceipt } from './receipts.ts';

/** `keyIds`: all that the person has or had. `erase` destroys the private halves and returns how many there were. */
export type PersonKeys = {
  keyIds(person: PersonName): Promise<string[]>;
  erase(person: PersonName): Promise<number>;
};

/** Documents that the index refused are on local disk. Returns how many of the person's were taken off their list. */
export type RemoveRejects = (person: PersonName, before: Date) => number;

export type EraseParts = RetentionParts & {
  directory: string;
  files: KeyFiles;
  keys: PersonKeys;
  removeRejects: RemoveRejects;
};

const started = z.strictObject({
  version: z.literal(1),
  run: z.string(),
  issuer: z.string(),
  subject: z.string(),
  /** What began later is another record, under a key of its own. Milliseconds since the epoch. */
  beforeMs: z.int().nonnegative(),
  areKeysErased: z.boolean(),
  by: z.string(),
  reason: z.string(),
});
type Started = z.output<typeof started>;

const startedMaxBytes = 65_536;

/** Erasures that were begun: each stands in a file of its own until all of it is done. */
export class Pending {
  readonly #parts: EraseParts;

  constructor(parts: EraseParts) {
    this.#parts = parts;
  }

  /**
   * @throws SkilltapeError `index_failed` when it cannot be told whether a hold covers the person: nothing is erased
   * then, and that is recorded
   */
  async erase(person: PersonName, asked: Asked): Promise<EraseReceipt> {
    const stores = await openStores(this.#parts);
    try {
      const run = randomUUID();
      const holds = await this.#holdsOn(person, stores).catch(async (thrown: unknown) => {
        await this.#receipt({ ...nothing, run, ...asked, person: this.#nameOf(person), outcome: 'refused', holds: [] });
        throw thrown;
      });
      if (holds.length > 0) {
        const ids = holds.map(({ id }) => id);
        return this.#receipt({
          ...nothing,
          run,
          ...asked,
          person: this.#nameOf(person),
          outcome: 'refused',
          holds: ids,
        });
      }
      const begun: Started = {
        version: 1,
        run,
        ...person,
        beforeMs: this.#parts.nowMs(),
        areKeysErased: false,
        ...asked,
      };
      await this.#write(begun);
      return await this.#carryOut(begun, stores);
    } finally {
      await stores.close();
    }
  }

  /** Whoever is to be erased and may still stand in the index, with what began before that moment. */
  async list(): Promise<(PersonName & { beforeMs: number })[]> {
    return (await this.#all()).map(({ issuer, subject, beforeMs }) => ({ issuer, subject, beforeMs }));
  }

  /** Goes on with what is not done yet; what a hold covers by now waits for its release. */
  async finish(stores: Stores): Promise<{ finished: string[]; waiting: string[] }> {
    const [finished, waiting]: [string[], string[]] = [[], []];
    for (const begun of await this.#all()) {
      try {
        const isHeld = (await this.#holdsOn(begun, stores)).length > 0;
        const isDone = !isHeld && (await this.#carryOut(begun, stores)).outcome === 'erased';
        (isDone ? finished : waiting).push(begun.run);
      } catch {
        waiting.push(begun.run);
      }
    }
    return { finished, waiting };
  }

  /** Keys, index, list of refused documents, values: each can be done again. */
  async #carryOut(begun: Started, { index, reveal, away }: Stores): Promise<EraseReceipt> {
    const { keys, idsOf, removeRejects } = this.#parts;
    const person = { issuer: begun.issuer, subject: begun.subject };
    const counts = { ...nothing, toDo: [] as string[] };
    const keyIds = await keys.keyIds(person);
    // Later keys are those of a person who came back after this erasure.
    if (!begun.areKeysErased) counts.keys = await keys.erase(person);
    await this.#write({ ...begun, areKeysErased: true });
    const before = new Date(begun.beforeMs);
    await attempt('index', counts.toDo, async () => {
      if (index === null) throw new SkilltapeError('index_failed', away.index ?? 'the index is away');
      counts.documents = await index.removePerson({ issuer: person.issuer, ids: idsOf(person) }, before);
    });
    await attempt('rejects', counts.toDo, async () => {
      counts.rejects = removeRejects(person, before);
    });
    await attempt('reveal', counts.toDo, async () => {
      counts.values = reveal.removeKeys(keyIds);
    });
    const outcome = counts.toDo.length === 0 ? 'erased' : 'waiting';
    const { run, by, reason } = begun;
    const receipt = await this.#receipt({
      ...counts,
      run,
      by,
      reason,
      person: this.#nameOf(person),
      outcome,
      holds: [],
    });
    if (outcome === 'erased') await this.#parts.files.destroy(this.#pathOf(run));
    return receipt;
  }

  /** A hold that names no person covers whoever has a record of it. */
  async #holdsOn(person: PersonName, { index, away }: Stores): Promise<Hold[]> {
    const { holds, idsOf } = this.#parts;
    const covering: Hold[] = [];
    for (const hold of holds.inForce()) {
      const held = hold.scope.person;
      if (held !== undefined && (held.issuer !== person.issuer || held.subject !== person.subject)) continue;
      const isWhole = held !== undefined && Object.keys(hold.scope).length === 1;
      if (isWhole) covering.push(hold);
      else if (index === null) throw cannotTell(hold, away.index ?? 'the index is away');
      else {
        const matching = matchingOf({ ...hold.scope, person }, idsOf);
        const days = await index.daysWith(matching).catch((thrown: unknown) => {
          throw cannotTell(hold, SkilltapeError.from(thrown).message);
        });
        if (days.length > 0) covering.push(hold);
      }
    }
    return covering;
  }

  async #receipt(
    facts: Omit<EraseReceipt, 'version' | 'number' | 'previous' | 'timeMs' | 'kind'>,
  ): Promise<EraseReceipt> {
    const { nowMs, receipts } = this.#parts;
    return (await receipts.append({ kind: 'erase', timeMs: nowMs(), ...facts })) as EraseReceipt;
  }

  /** The pseudonym, which only whoever has the key can make of a name. */
  #nameOf(person: PersonName): string {
    return this.#parts.idsOf(person).at(-1) ?? '';
  }

  async #all(): Promise<Started[]> {
    const { files, directory } = this.#parts;
    const names = await files.list(join(directory, 'pending'));
    const found: Started[] = [];
    for (const name of names.filter((one) => one.endsWith('.json'))) {
      const file = await files.read(join(directory, 'pending', name), startedMaxBytes);
      if (file !== undefined) found.push(started.parse(JSON.parse(file.bytes.toString('utf8'))));
    }
    return found.sort((a, b) => a.beforeMs - b.beforeMs);
  }

  async #write(begun: Started): Promise<void> {
    await this.#parts.files.replace(this.#pathOf(begun.run), Buffer.from(JSON.stringify(begun)));
  }

  #pathOf(run: string): string {
    return join(
      this.#parts.directory,
      'pending',
      `${createHash('sha256').update(run).digest('hex').slice(0, 16)}.json`,
    );
  }
}

const nothing = { keys: 0, documents: 0, rejects: 0, values: 0, toDo: [] as string[] };

async function attempt(what: string, toDo: string[], run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    toDo.push(`${what}: ${SkilltapeError.from(thrown).message}`.slice(0, 500));
  }
}

function cannotTell({ id }: Hold, why: string): SkilltapeError {
  return new SkilltapeError('index_failed', `whether ${id} covers this person cannot be told: ${why}`, {
    remedy: 'erase when the index is back',
  });
}

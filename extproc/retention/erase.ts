/** Erasing a person: their keys first, which makes the sealed record unreadable, then every copy (inv. 9). A hold wins. */
import { randomUUID } from 'node:crypto';
import { SkilltapeError } from '../errors.ts';
import type { KeyFiles } from '../keys/files.ts';
import { type Erasure, Erasures } from './erasures.ts';
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
  /** Nothing that began earlier stands in a journal. Milliseconds since the epoch; infinite when the journals are empty. */
  oldestInJournalsMs(): Promise<number>;
};

/** Erasures, begun and carried out. */
export class Pending {
  readonly #parts: EraseParts;
  readonly #erasures: Erasures;

  constructor(parts: EraseParts) {
    this.#parts = parts;
    this.#erasures = new Erasures(parts.directory, parts.files);
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
        const refused = { outcome: 'refused', holds: holds.map(({ id }) => id) } as const;
        return this.#receipt({ ...nothing, run, ...asked, person: this.#nameOf(person), ...refused });
      }
      const beforeMs = this.#parts.nowMs();
      const todo = { areKeysErased: false, isCarriedOut: false };
      const begun: Erasure = { version: 1, run, ...person, beforeMs, ...todo, ...asked };
      // Before the keys: whoever makes a new one for them afterwards finds it.
      await this.#erasures.write(begun);
      return await this.#carryOut(begun, stores);
    } finally {
      await stores.close();
    }
  }

  /** Whoever is to be erased and may still stand in the index, with what began before that moment. */
  async list(): Promise<(PersonName & { beforeMs: number })[]> {
    return (await this.#erasures.all()).map(({ issuer, subject, beforeMs }) => ({ issuer, subject, beforeMs }));
  }

  /**
   * Goes on with what is not done yet; what a hold covers by now waits for its release. `inJournal`: all stores had their
   * part, and what the person said before is still in a journal.
   */
  async finish(stores: Stores): Promise<{ finished: string[]; waiting: string[]; inJournal: string[] }> {
    const told = { finished: [] as string[], waiting: [] as string[], inJournal: [] as string[] };
    for (const begun of await this.#erasures.all()) {
      try {
        if (begun.isCarriedOut && (await this.#parts.oldestInJournalsMs()) <= begun.beforeMs) {
          told.inJournal.push(begun.run);
          continue;
        }
        const isHeld = (await this.#holdsOn(begun, stores)).length > 0;
        const outcome = isHeld ? 'waiting' : (await this.#carryOut(begun, stores)).outcome;
        told[listOf(outcome)].push(begun.run);
      } catch {
        told.waiting.push(begun.run);
      }
    }
    return told;
  }

  /**
   * Keys, index, list of refused documents, values: each can be done again. It is, once the journals have nothing of the
   * person's from before: shipping may have been about to deliver the last of it at the first time.
   */
  async #carryOut(begun: Erasure, stores: Stores): Promise<EraseReceipt> {
    const counts = await this.#removeAll(begun, stores);
    const outcome = counts.toDo.length > 0 ? 'waiting' : begun.isCarriedOut ? 'left_journals' : 'erased';
    const { run, by, reason } = begun;
    const receipt = await this.#receipt({
      ...counts,
      run,
      by,
      reason,
      person: this.#nameOf(begun),
      outcome,
      holds: [],
    });
    if (outcome === 'erased') await this.#erasures.write({ ...begun, areKeysErased: true, isCarriedOut: true });
    if (outcome === 'left_journals') await this.#erasures.remove(run);
    return receipt;
  }

  async #removeAll(begun: Erasure, { index, reveal, away }: Stores): Promise<typeof nothing> {
    const { keys, idsOf, removeRejects } = this.#parts;
    const person = { issuer: begun.issuer, subject: begun.subject };
    const counts = { ...nothing, toDo: [] as string[] };
    const keyIds = begun.isCarriedOut ? [] : await keys.keyIds(person);
    // Later keys are those of a person who came back after this erasure.
    if (!begun.areKeysErased) {
      counts.keys = await keys.erase(person);
      await this.#erasures.write({ ...begun, areKeysErased: true });
    }
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
    return counts;
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
  #nameOf({ issuer, subject }: PersonName): string {
    return this.#parts.idsOf({ issuer, subject }).at(-1) ?? '';
  }
}

function listOf(outcome: EraseReceipt['outcome']): 'finished' | 'waiting' | 'inJournal' {
  if (outcome === 'left_journals') return 'finished';
  return outcome === 'erased' ? 'inJournal' : 'waiting';
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

/** Seals values to the people whose exchanges they come from; this side cannot open what it keeps. */
import { createSecretKey, randomBytes } from 'node:crypto';
import { decodeSealedKey } from '../keys/sealed-key.ts';
import type { KeySealer } from '../keys/sealer.ts';
import { sealValue } from './sealed-value.ts';
import type { RevealStore, SealedBatch } from './store.ts';

/** Values by token, of one session and one person; null is an exchange without identity. */
export type Values = {
  session: string;
  person: { issuer: string; subject: string } | null;
  retentionClass: string;
  values: ReadonlyMap<string, string>;
};

/** Tokens that were kept lately are not sealed again; forgotten now and then, since their person may have been erased. */
const rememberedMax = 65_536;
const rememberedMs = 600_000;
const pruneIntervalMs = 60_000;
const dayMs = 86_400_000;

export type KeeperParts = {
  store: Pick<RevealStore, 'add' | 'prune'>;
  sealer: Pick<KeySealer, 'sealedKeyFor'>;
  /** Days for which values are kept. */
  keptDays: number;
  /** Values of so many exchanges could not be kept; `reason` has no content. Said at most once in a while. */
  onFailed: (exchanges: number, reason: string) => void;
  nowMs?: () => number;
};

const failureSaidEveryMs = 60_000;

export class RevealKeeper {
  readonly #parts: KeeperParts;
  readonly #nowMs: () => number;
  #remembered = new Set<string>();
  #rememberedSinceMs = 0;
  #prunedMs = Number.NEGATIVE_INFINITY;
  #failed = 0;
  #failureSaidMs = Number.NEGATIVE_INFINITY;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#nowMs = parts.nowMs ?? Date.now;
  }

  /** Never rejects: no value is kept rather than one that is readable, and no exchange waits for its values. */
  async keep(exchanges: readonly Values[]): Promise<void> {
    const nowMs = this.#nowMs();
    try {
      const groups = this.#grouped(exchanges, nowMs);
      if (groups.length > 0) {
        this.#parts.store.add(await Promise.all(groups.map((group) => this.#sealed(group))), nowMs);
        for (const { keys } of groups) for (const key of keys) this.#remembered.add(key);
      }
      this.#prune(nowMs);
    } catch (thrown) {
      this.#tellFailure(exchanges.filter(({ values }) => values.size > 0).length, thrown, nowMs);
    }
  }

  /** What is not known to be kept, together by person and class: each group is sealed under one data key. */
  #grouped(exchanges: readonly Values[], nowMs: number): Group[] {
    if (this.#remembered.size > rememberedMax || nowMs - this.#rememberedSinceMs > rememberedMs) {
      this.#remembered = new Set();
      this.#rememberedSinceMs = nowMs;
    }
    const groups = new Map<string, Group>();
    for (const { session, person, retentionClass, values } of exchanges) {
      const name = JSON.stringify([person?.issuer, person?.subject, retentionClass]);
      for (const [token, value] of values) {
        const key = `${name} ${session} ${token}`;
        if (this.#remembered.has(key)) continue;
        let group = groups.get(name);
        if (group === undefined) {
          group = { person, retentionClass, keys: new Set(), values: [] };
          groups.set(name, group);
        }
        if (group.keys.has(key)) continue;
        group.keys.add(key);
        group.values.push({ session, token, value });
      }
    }
    return [...groups.values()];
  }

  async #sealed({ person, retentionClass, values }: Group): Promise<SealedBatch> {
    const context = `reveal ${randomBytes(16).toString('hex')}`;
    const { key, sealed } = await this.#parts.sealer.sealedKeyFor(person ?? 'nobody', retentionClass, context);
    const secretKey = createSecretKey(key);
    key.fill(0);
    const rows = values.map(({ session, token, value }, counter) => {
      return { session, token, counter, value: sealValue(secretKey, counter, session, token, value) };
    });
    return { context, sealedKey: sealed, pair: decodeSealedKey(sealed).keyId, retentionClass, rows };
  }

  #prune(nowMs: number): void {
    if (nowMs - this.#prunedMs < pruneIntervalMs) return;
    this.#prunedMs = nowMs;
    this.#parts.store.prune(() => nowMs - this.#parts.keptDays * dayMs);
  }

  #tellFailure(exchanges: number, thrown: unknown, nowMs: number): void {
    this.#failed += exchanges;
    if (nowMs - this.#failureSaidMs < failureSaidEveryMs) return;
    this.#failureSaidMs = nowMs;
    // Errors of keys and disks name files; nothing that was masked gets into one.
    this.#parts.onFailed(this.#failed, thrown instanceof Error ? thrown.message : 'unknown');
    this.#failed = 0;
  }
}

type Group = {
  person: Values['person'];
  retentionClass: string;
  keys: Set<string>;
  values: { session: string; token: string; value: string }[];
};

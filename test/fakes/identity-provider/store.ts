/** Keeps what oidc-provider must remember (codes, sessions, grants) in memory, through its documented adapter interface. */

type Payload = Record<string, unknown>;
type Entry = { readonly payload: Payload; readonly expiresAt: number };

const ENTRIES_MAX = 10_000;

export type Adapter = {
  upsert(id: string, payload: Payload, expiresInSeconds?: number): Promise<void>;
  find(id: string): Promise<Payload | undefined>;
  findByUid(uid: string): Promise<Payload | undefined>;
  findByUserCode(userCode: string): Promise<Payload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
};

/** A factory of adapters, one per model, each with at most 10,000 entries: the oldest go first. */
export function createMemoryStore(): (model: string) => Adapter {
  const models = new Map<string, Map<string, Entry>>();
  return (model) => {
    const entries = models.get(model) ?? new Map<string, Entry>();
    models.set(model, entries);
    return createAdapter(entries);
  };
}

function createAdapter(entries: Map<string, Entry>): Adapter {
  const read = (id: string) => {
    const entry = entries.get(id);
    if (entry !== undefined && entry.expiresAt > Date.now()) return entry.payload;
    entries.delete(id);
    return undefined;
  };
  const findWhere = (property: string, value: string) => {
    const [id] = [...entries].find(([, { payload }]) => payload[property] === value) ?? [];
    return id === undefined ? undefined : read(id);
  };
  return {
    upsert: async (id, payload, expiresInSeconds) => {
      const expiresAt =
        expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1000;
      entries.set(id, { payload, expiresAt });
      const [oldest] = entries.keys();
      if (entries.size > ENTRIES_MAX && oldest !== undefined) entries.delete(oldest);
    },
    find: async (id) => read(id),
    findByUid: async (uid) => findWhere('uid', uid),
    findByUserCode: async (userCode) => findWhere('userCode', userCode),
    consume: async (id) => {
      const payload = read(id);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    destroy: async (id) => {
      entries.delete(id);
    },
    revokeByGrantId: async (grantId) => {
      for (const [id, { payload }] of entries) if (payload.grantId === grantId) entries.delete(id);
    },
  };
}

import type { Answered, Asked, ReadingKind } from '../exchange/reader.ts';

/** One question to the thread; it answers them in their order. */
export type Question = { [K in ReadingKind]: { kind: K; asked: Asked<K>; bytes: Uint8Array } }[ReadingKind];

/** `failed` says what kind of error it was; messages of the runtime may quote what they choked on (inv. 6). */
export type Reply = { answered: Answered<ReadingKind> } | { failed: string };

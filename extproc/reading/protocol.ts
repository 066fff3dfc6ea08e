import type { ErrorCode } from '../errors.ts';
import type { Answered, Asked, ReadingKind } from '../exchange/reader.ts';
import type { StoredParts } from '../exchange/request-body.ts';
import type { DetectorList } from '../masking/detector-list.ts';

/** One question to the thread; it answers them in their order. */
export type Question = { [K in ReadingKind]: { kind: K; asked: Asked<K> } & QuestionBody }[ReadingKind];

/** The whole body; its end is empty where it is stored, and the thread fills it in from the journal. */
export type QuestionBody = { bytes: Uint8Array<ArrayBuffer>; stored: StoredParts | null };

/** Where the thread finds stored parts; copied into it. */
export type JournalPlace = { directory: string; key: Uint8Array };

/** What a thread is begun with; copied into it. `detectors` are those that operators added. */
export type ReadingStart = { journal: JournalPlace | null; detectors: DetectorList };

/** `failed` says what kind of error it was; messages of the runtime may quote what they choked on (inv. 6). */
export type Reply = { answered: Answered<ReadingKind> } | { failed: string; code: ErrorCode };

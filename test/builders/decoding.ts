import type { ReadCodings } from '../../extproc/encoding/codings.ts';
import type { DecodingLimits } from '../../extproc/encoding/limits.ts';

/** As the configuration has them by default. */
export const decodingLimits: DecodingLimits = { decodedBodyMaxBytes: 64 * 1024 * 1024, decodedRatioMax: 100 };

export const noCodings: ReadCodings = { ok: true, codings: [] };

/** How much a body may decode to (inv. 10): a small one must not fill the memory. */

/**
 * `decodedBodyMaxBytes` for what is left when all codings are off, and for what is left between two of them;
 * `decodedRatioMax` times the size as it came, where that is more than `ratioFreeBytes`.
 */
export type DecodingLimits = { decodedBodyMaxBytes: number; decodedRatioMax: number };

/** What a body may always decode to, however small it is: a few bytes of a repeated word are no attack. */
export const ratioFreeBytes = 1024 * 1024;

export type DecodedMax = { bytes: number; limit: 'size' | 'ratio' };

/** The limit that a body of this size meets first. */
export function decodedMaxOf(
  encodedBytes: number,
  { decodedBodyMaxBytes, decodedRatioMax }: DecodingLimits,
): DecodedMax {
  const byRatio = Math.max(ratioFreeBytes, encodedBytes * decodedRatioMax);
  return byRatio < decodedBodyMaxBytes
    ? { bytes: byRatio, limit: 'ratio' }
    : { bytes: decodedBodyMaxBytes, limit: 'size' };
}

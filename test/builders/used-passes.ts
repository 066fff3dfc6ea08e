import type { UsedPasses } from '../../extproc/exchange/release-pass.ts';

/** What processes share, in memory. */
export function usedPasses(): UsedPasses {
  const used = new Set<string>();
  return {
    async take(exchangeId) {
      const isFirst = !used.has(exchangeId);
      used.add(exchangeId);
      return isFirst;
    },
  };
}

import type { UsageRow } from '../index/port.ts';
import type { ModelPrices, PriceTable } from './price-table.ts';

/** `amount` in the table's currency; or what the table has no price for. Nothing is guessed. */
export type Cost = { kind: 'known'; amount: number } | { kind: 'unknown'; missing: string };

const million = 1_000_000;
const searchesPerPrice = 1_000;

/** The tier that the prices of a table are for. */
const plainTier = 'standard';

/** What the tokens and web searches of a row cost. A service tier changes the price of tokens alone. */
export function costOf(
  {
    model,
    serviceTier,
    tokens,
    webSearchRequests,
  }: Pick<UsageRow, 'model' | 'serviceTier' | 'tokens' | 'webSearchRequests'>,
  table: PriceTable,
): Cost {
  const prices = pricesOf(model, table);
  if (prices === null) return { kind: 'unknown', missing: model === '' ? 'an unnamed model' : model };
  const multiplier = table.serviceTiers.get(serviceTier) ?? (isPlain(serviceTier) ? 1 : null);
  if (multiplier === null) return { kind: 'unknown', missing: `${model} in the service tier ${serviceTier}` };
  if (webSearchRequests > 0 && prices.webSearchPer1000 === undefined)
    return { kind: 'unknown', missing: `the web searches of ${model}` };
  const forTokens =
    tokens.uncachedInput * prices.input +
    tokens.output * prices.output +
    tokens.cacheRead * prices.cacheRead +
    tokens.cacheCreation5m * prices.cacheWrite5m +
    tokens.cacheCreation1h * prices.cacheWrite1h;
  const forSearches = (webSearchRequests * (prices.webSearchPer1000 ?? 0)) / searchesPerPrice;
  return { kind: 'known', amount: (forTokens * multiplier) / million + forSearches };
}

/** The entry with the model's whole name, or else the longest one that it begins with. */
function pricesOf(model: string, { models }: PriceTable): ModelPrices | null {
  const exact = models.get(model);
  if (exact !== undefined) return exact;
  let longest = -1;
  let prices: ModelPrices | null = null;
  for (const [name, each] of models) {
    const begin = name.slice(0, -1);
    if (!name.endsWith('*') || begin.length <= longest || !model.startsWith(begin)) continue;
    longest = begin.length;
    prices = each;
  }
  return prices;
}

/** An answer that names no tier is of the plain one. */
function isPlain(serviceTier: string): boolean {
  return serviceTier === '' || serviceTier === plainTier;
}
